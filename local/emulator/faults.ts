import { z } from 'zod';
import type { HubRequest } from './http-types.ts';
import { pageFaultSchema } from './page-faults.ts';
import { seededRandom } from './random.ts';

/** Fields of a rule a preset fills in; the rule's own fields win. */
type Preset = Readonly<Partial<z.input<typeof ruleShape>>>;

/** A rule of this name needs nothing else; what it gives besides narrows or changes the preset. */
export const faultPresets: Readonly<Record<string, Preset>> = {
  throttle429: { status: 429, retryAfterSeconds: 1 },
  'throttle429-silent': { status: 429 },
  throttle403: { status: 403, retryAfterSeconds: 1 },
  throttle409: { status: 409, method: ['POST', 'PUT', 'DELETE'], route: '^/registrations' },
  gone410: { status: 410, method: 'PUT', route: '^/registrations/\\{\\}$' },
  busy503: { status: 503 },
  'reset-before': { reset: true },
  'reset-after': { reset: true, when: 'after' },
  'half-open': { hang: true },
  slow: { delayMs: 200, slowBytes: 1024 },
  'truncated-page': { method: 'GET', route: '/registrations$', truncateBody: true },
  'malformed-page': { method: 'GET', route: '/registrations$', malformedBody: true },
  'expired-token': { method: 'GET', route: '[?&]continuationtoken=', status: 400 },
  'repeated-token': { page: 'repeat-token' },
  'empty-page': { page: 'empty' },
  'repeated-rows': { page: 'repeat-rows' },
};

const effects = ['status', 'reset', 'hang', 'delayMs', 'slowBytes', 'truncateBody', 'malformedBody', 'page'] as const;
const listings = /^\/(tags\/\{\}\/)?registrations$/;

const ruleShape = z.strictObject({
  name: z.string().min(1),
  /** Tried, without regard to letter case, on the route (`/registrations/{}`) and on path and query as sent. */
  route: z.string().refine(isRegExp, 'is no regular expression').optional(),
  method: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  /** Share of the matching requests, drawn from `seed`. */
  probability: z.number().gt(0).max(1).optional(),
  seed: z.int().min(0).default(1),
  everyNth: z.int().min(1).optional(),
  /** How many times the rule acts before it is used up. */
  times: z.int().min(1).optional(),
  /** `after`: the request is carried out, but the client gets the fault. */
  when: z.literal(['before', 'after']).default('before'),
  status: z.int().min(200).max(599).optional(),
  retryAfterSeconds: z.int().min(0).optional(),
  /** Sent as an HTTP date. */
  retryAfterDate: z.iso.datetime().optional(),
  /** The service's `<Error>` when absent. */
  body: z.string().optional(),
  reset: z.boolean().optional(),
  delayMs: z.number().min(0).optional(),
  /** Never answers and keeps the connection. */
  hang: z.boolean().optional(),
  /** Bytes of the body every 20 ms. */
  slowBytes: z.int().min(1).optional(),
  /** The connection ends in the middle of the body. */
  truncateBody: z.boolean().optional(),
  /** A whole answer whose body ends in the middle. */
  malformedBody: z.boolean().optional(),
  /** Matches list requests only; a repeated token those that brought one. */
  page: pageFaultSchema.optional(),
});

const ruleSchema = ruleShape
  .refine((rule) => effects.some((effect) => isGiven(rule[effect])), {
    error: `does nothing: give one of ${effects.join(', ')}, or a preset's name: ${Object.keys(faultPresets).join(', ')}`,
  })
  .refine(({ status, reset, hang, page }) => [status, reset, hang, page].filter(isGiven).length <= 1, {
    error: 'gives more than one of status, reset, hang and page',
  })
  .refine(
    (rule) => isGiven(rule.status) || (rule.body ?? rule.retryAfterSeconds ?? rule.retryAfterDate) === undefined,
    { error: 'gives a body or Retry-After without a status' },
  )
  .refine(({ retryAfterSeconds, retryAfterDate }) => retryAfterSeconds === undefined || retryAfterDate === undefined, {
    error: 'gives Retry-After twice',
  });

/** Rules as given, each with its preset filled in. */
export const faultRulesSchema = z.array(z.preprocess(withPreset, ruleSchema));

export type FaultRule = Readonly<z.infer<typeof ruleSchema>>;

/** A preset's name, or a rule; a rule named after a preset starts from it. */
export type FaultInput = string | z.input<typeof ruleShape>;

/** A rule and what became of it. */
export interface Fault {
  readonly rule: FaultRule;
  /** Requests it looked at: those that match, while it was not spent and no rule before it acted. */
  readonly matchedCount: number;
  readonly injectedCount: number;
}

/**
 * Which rule acts on the request, and the rules with their counts gone on. The first one due acts. Nothing but the
 * rules, their counts and the request decides: the same requests in the same order meet the same faults.
 */
export function decideFault(
  faults: readonly Fault[],
  request: HubRequest,
  routeName: string,
): { readonly faults: readonly Fault[]; readonly rule: FaultRule | undefined } {
  let acting: FaultRule | undefined;
  const next = faults.map((fault) => {
    const { rule, injectedCount } = fault;
    if (acting !== undefined || injectedCount >= (rule.times ?? Number.POSITIVE_INFINITY)) return fault;
    if (!isMatch(rule, request, routeName)) return fault;
    const matchedCount = fault.matchedCount + 1;
    if (!isDue(rule, matchedCount)) return { ...fault, matchedCount };
    acting = rule;
    return { rule, matchedCount, injectedCount: injectedCount + 1 };
  });
  return { faults: next, rule: acting };
}

function isMatch({ method, route, page }: FaultRule, request: HubRequest, routeName: string): boolean {
  const methods = method === undefined ? undefined : [method].flat().map((each) => each.toUpperCase());
  if (methods !== undefined && !methods.includes(request.method)) return false;
  if (page !== undefined && !(request.method === 'GET' && listings.test(routeName))) return false;
  if (page === 'repeat-token' && !request.parameters.has('continuationtoken')) return false;
  if (route === undefined) return true;
  const pattern = new RegExp(route, 'i');
  return pattern.test(routeName) || pattern.test(request.path + request.query);
}

/** The n-th draw of a rule needs no earlier ones, so that there is no state but the count. */
function isDue({ everyNth = 1, probability = 1, seed }: FaultRule, matchedCount: number): boolean {
  return matchedCount % everyNth === 0 && seededRandom(seed * 1_000_003 + matchedCount)() < probability;
}

/** A rule's own Retry-After takes the place of the preset's, whichever form each has. */
function withPreset(input: unknown): unknown {
  const rule = typeof input === 'string' ? { name: input } : input;
  if (typeof rule !== 'object' || rule === null || !('name' in rule) || typeof rule.name !== 'string') return rule;
  if (!Object.hasOwn(faultPresets, rule.name)) return rule;
  const { retryAfterSeconds, ...preset } = faultPresets[rule.name] ?? {};
  const keepsSeconds = retryAfterSeconds !== undefined && !('retryAfterDate' in rule);
  return { ...preset, ...(keepsSeconds ? { retryAfterSeconds } : {}), ...rule };
}

function isGiven(effect: unknown): boolean {
  return effect !== undefined && effect !== false;
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    // Compiling it is the only check there is.
    return false;
  }
}
