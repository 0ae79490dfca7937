import type { ErrorDetail } from '../core/errors.ts';
import { defaultOf, type SettingName } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A form a text must have; `form` ends the sentence "must be …". */
export interface Form {
  readonly pattern: RegExp;
  readonly form: string;
}

/**
 * Reads settings one by one and keeps what is wrong with them instead of throwing, so that all faults are reported at once.
 * A setting that is at fault or, unless required, absent reads as its default.
 */
export interface SettingsReader {
  readonly env: Environment;
  readonly faults: readonly ErrorDetail[];
  readonly warnings: readonly string[];
  fault(name: string, message: string): void;
  warn(sentence: string): void;
  required(name: SettingName, what: string): string | undefined;
  requiredMatching(name: SettingName, form: Form): string | undefined;
  matching(name: SettingName, form: Form): string;
  /** `judge` answers what is wrong with a text, if anything. */
  judged(name: SettingName, judge: (text: string) => string | undefined): string;
  oneOf<T extends string>(name: SettingName, values: readonly T[]): T | undefined;
  whole(name: SettingName, least: number, most: number): number;
  optionalWhole(name: SettingName, least: number, most: number): number | undefined;
}

export function openSettings(env: Environment): SettingsReader {
  const faults: ErrorDetail[] = [];
  const warnings: string[] = [];
  const fault = (name: string, message: string): void => {
    faults.push({ code: 'SettingsInvalid', message: `${name}: ${message}`, target: name });
  };
  const judged: SettingsReader['judged'] = (name, judge) => {
    const text = textOf(env, name);
    const wrong = text === undefined ? undefined : judge(text);
    if (text !== undefined && wrong === undefined) return text;
    if (wrong !== undefined) fault(name, wrong);
    return defaultOf(name) ?? '';
  };
  const required: SettingsReader['required'] = (name, what) => {
    const text = textOf(env, name);
    if (text === undefined) fault(name, `is missing: set it to ${what}`);
    else if (isReference(text)) fault(name, unresolved);
    else return text;
    return undefined;
  };
  const whole: SettingsReader['whole'] = (name, least, most) =>
    Number(judged(name, (text) => wholeFault(text, least, most)));
  return {
    env,
    faults,
    warnings,
    fault,
    warn: (sentence) => void warnings.push(sentence),
    required,
    requiredMatching: (name, form) => {
      const text = required(name, form.form);
      if (text === undefined || form.pattern.test(text)) return text;
      fault(name, formFault(text, form));
      return undefined;
    },
    matching: (name, form) => judged(name, (text) => (form.pattern.test(text) ? undefined : formFault(text, form))),
    judged,
    oneOf: (name, values) => {
      const text = textOf(env, name);
      if (text === undefined) return undefined;
      const value = values.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
      if (value === undefined) fault(name, `must be ${values.join(', ')} or absent${shown(text)}`);
      return value;
    },
    whole,
    optionalWhole: (name, least, most) => {
      if (textOf(env, name) === undefined) return undefined;
      const value = whole(name, least, most);
      return value === 0 ? undefined : value;
    },
  };
}

/** A setting's text without the spaces around it; an empty one counts as absent, as portals cannot always remove one. */
export function textOf(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

/** A Key Vault or App Configuration reference is handed to the app as it is when the platform could not resolve it. */
export function isReference(text: string): boolean {
  return text.startsWith('@Microsoft.');
}

export const unresolved =
  "is a reference that was not resolved: give the app's identity access to the vault or store it names";

function wholeFault(text: string, least: number, most: number): string | undefined {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most) return undefined;
  return `must be a whole number from ${least} to ${most}${shown(text)}`;
}

function formFault(text: string, { form }: Form): string {
  return isReference(text) ? unresolved : `must be ${form}${shown(text)}`;
}

/** Nothing long or with an equals sign: a key or connection string may have been put into the wrong setting. */
function shown(text: string): string {
  return /^[\w .,:*/+-]{1,24}$/.test(text) ? `, not '${text}'` : '';
}
