import { z } from 'zod';
import { installationKey, type RecordOfRows } from '../registration/record.ts';
import { userIdOf } from '../registration/registration.ts';
import { parseTagExpression } from './tag-expression.ts';

/** The kinds of registrations there are (service-facts 1.5), as they are written in a listing. */
const platforms = ['Apple', 'FcmV1', 'Gcm', 'Windows', 'Mpns', 'Adm', 'Baidu', 'Browser', 'Xiaomi'] as const;
const platformByLowerCase: ReadonlyMap<string, string> = new Map(platforms.map((name) => [name.toLowerCase(), name]));

const MAX_IDS = 1000;
const MAX_GROUPS = 9;

const platformList = z
  .array(
    z.string().refine((name) => platformByLowerCase.has(name.toLowerCase()), `must be one of ${platforms.join(', ')}`),
  )
  .min(1, 'must name a platform')
  .max(platforms.length)
  .transform((names) => names.map((name) => platformByLowerCase.get(name.toLowerCase()) ?? name));
const idList = z
  .array(z.string().min(1).max(256))
  .min(1, 'must name an id')
  .max(MAX_IDS, `must name at most ${MAX_IDS} ids`);
const tagExpression = z.string().min(1, 'must be a tag expression').max(2000);

/** Which records of a snapshot a restore is about: each part narrows, within a list any will do. */
export const selectionSchema = z
  .strictObject({
    platforms: platformList.optional(),
    tags: tagExpression.optional(),
    installationIds: idList.optional(),
    userIds: idList.optional(),
  })
  .refine((only) => Object.keys(only).length > 0, 'must have platforms, tags, installationIds or userIds');

/** Groups in the order in which they are written; what is in none of them comes last. */
export const orderSchema = z
  .array(
    z
      .strictObject({ platforms: platformList.optional(), tags: tagExpression.optional() })
      .refine((group) => Object.keys(group).length > 0, 'must have platforms or tags'),
  )
  .min(1, 'must have a group')
  .max(MAX_GROUPS, `must have at most ${MAX_GROUPS} groups`);

export type Selection = Readonly<z.infer<typeof selectionSchema>>;
export type RestoreOrder = Readonly<z.infer<typeof orderSchema>>;

/** Whether a record belongs to a restore. Throws `BadRequest` naming the field when its tag expression is none. */
export function selectorOf(only: Selection | undefined, field = 'only'): (record: RecordOfRows) => boolean {
  if (only === undefined) return () => true;
  const { platforms, tags, installationIds, userIds } = only;
  const checks: ((record: RecordOfRows) => boolean)[] = [];
  if (installationIds !== undefined) {
    const keys = new Set(installationIds.map(installationKey));
    checks.push(({ key }) => keys.has(key));
  }
  if (userIds !== undefined) {
    // They are tags.
    const wanted = new Set(userIds.map((id) => id.toLowerCase()));
    checks.push(({ rows }) => rows.some((row) => wanted.has(userIdOf(row.tags)?.toLowerCase() ?? '')));
  }
  if (platforms !== undefined) {
    const wanted = new Set(platforms.map((name) => name.toLowerCase()));
    checks.push(({ rows }) => rows.some((row) => wanted.has(row.platform.toLowerCase())));
  }
  if (tags !== undefined) {
    const isMeant = parseTagExpression(tags, `${field}.tags`);
    checks.push(({ rows }) => isMeant(new Set(rows.flatMap((row) => row.tags.map((tag) => tag.toLowerCase())))));
  }
  return (record) => checks.every((check) => check(record));
}

/** The group (from 0) a record is written with: the first that it belongs to, else one after the last. */
export function groupOf(order: RestoreOrder | undefined): (record: RecordOfRows) => number {
  const groups = (order ?? []).map((group, index) => selectorOf(group, `order.${index}`));
  return (record) => {
    const index = groups.findIndex((isIn) => isIn(record));
    return index === -1 ? groups.length : index;
  };
}
