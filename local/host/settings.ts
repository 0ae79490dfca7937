import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * Puts the app's settings into `env`, weakest first: `Values` of `local.settings.json`, `Values` of the settings file,
 * what `env` already has, `overrides`.
 */
export async function applySettings(
  env: NodeJS.ProcessEnv,
  appDir: string,
  settingsFile: string | undefined,
  overrides: Readonly<Record<string, string>> = {},
): Promise<void> {
  const local = await readSettingsFile(join(appDir, 'local.settings.json'), false);
  const given = settingsFile === undefined ? {} : await readSettingsFile(settingsFile, true);
  for (const [name, value] of Object.entries({ ...local, ...given })) env[name] ??= value;
  Object.assign(env, overrides);
}

/** Replaces every `%NAME%` by the setting of that name, as the real host does in binding properties. */
export function resolveSettings(text: string, env: NodeJS.ProcessEnv, where: string): string {
  return text.replaceAll(/%([^%\s]+)%/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined || value === '') {
      throw new Error(`${where}: "%${name}%" does not resolve to a value: there is no setting "${name}".`);
    }
    return value;
  });
}

const fileSchema = z.object({
  IsEncrypted: z.literal(false).optional(),
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
});

async function readSettingsFile(path: string, isRequired: boolean): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (!isRequired) return {};
    throw new Error(`The settings file "${path}" cannot be read.`, { cause });
  }
  try {
    return fileSchema.parse(JSON.parse(text)).Values;
  } catch (cause) {
    // The cause may quote a value: keep it out of the message.
    const paths = cause instanceof z.ZodError ? cause.issues.map((issue) => issue.path.join('.')).join(', ') : 'JSON';
    throw new Error(`"${path}" must be {"IsEncrypted":false,"Values":{"NAME":"value"}}; look at: ${paths}.`);
  }
}
