import type { ErrorDetail } from '../core/errors.ts';

export interface SettingFault extends ErrorDetail {
  /** Name of the setting. */
  readonly target: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** An environment with what is wrong in it: faults are collected and not thrown, so that all are reported at once. */
export interface SettingsReader {
  readonly env: Environment;
  readonly faults: readonly SettingFault[];
  /** Whole sentences, free of secrets. */
  readonly warnings: readonly string[];
  fault(name: string, message: string): void;
  warn(sentence: string): void;
}

export function openSettings(env: Environment): SettingsReader {
  const faults: SettingFault[] = [];
  const warnings: string[] = [];
  return {
    env,
    faults,
    warnings,
    fault: (name, message) =>
      void faults.push({ code: 'SettingsInvalid', message: `${name}: ${message}`, target: name }),
    warn: (sentence) => void warnings.push(sentence),
  };
}

/** A setting's text without the spaces around it; an empty one counts as absent, as portals cannot always remove one. */
export function textOf(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

/** The app gets a Key Vault or App Configuration reference as it is when the platform could not resolve it. */
export function isReference(text: string): boolean {
  return text.startsWith('@Microsoft.');
}

export const unresolved =
  "is a reference that was not resolved: give the app's identity access to the vault or store it names";
