import { z } from 'zod';
import type { Registrations } from './core-module.ts';
import type { Binding, FunctionCallback, FunctionMetadata } from './core-types.ts';
import type { AuthLevel } from './keys.ts';
import { resolveSettings } from './settings.ts';

export interface FunctionDefinition {
  readonly name: string;
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
  readonly triggerName: string;
  readonly trigger: Trigger;
  readonly queueOutputs: readonly QueueOutput[];
  /** Setting `AzureWebJobs.{name}.Disabled`: no listener runs it and its route answers 404 to all but the master key. */
  readonly isDisabled: boolean;
}

type Trigger = HttpTrigger | TimerTrigger | QueueTrigger;

export interface HttpTrigger {
  readonly kind: 'http';
  readonly route: string;
  readonly methods: readonly string[];
  readonly authLevel: AuthLevel;
}

export interface TimerTrigger {
  readonly kind: 'timer';
  readonly schedule: string;
  readonly runOnStartup: boolean;
  readonly useMonitor: boolean;
}

export interface QueueTrigger {
  readonly kind: 'queue';
  readonly queueName: string;
  readonly connection: string;
}

export interface QueueOutput {
  readonly bindingName: string;
  readonly queueName: string;
  readonly connection: string;
}

/**
 * Reads what the app registered, with `%SETTING%` replaced, in the real host's order: by name, without regard to case.
 * That order decides which of two overlapping routes answers. Throws on a trigger or binding this host does not run.
 */
export function readDefinitions(registrations: Registrations, env: NodeJS.ProcessEnv): FunctionDefinition[] {
  const definitions = [...registrations.functions.values()].map(({ metadata, callback }) =>
    readDefinition(metadata, callback, env),
  );
  return definitions.sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()));
}

function readDefinition(
  metadata: FunctionMetadata,
  callback: FunctionCallback,
  env: NodeJS.ProcessEnv,
): FunctionDefinition {
  const { name } = metadata;
  const where = `Function "${name}"`;
  if (!/^[a-z][\w-]{0,127}$/i.test(name)) throw new Error(`${where}: the name is not valid.`);
  if (metadata.retryOptions !== undefined) throw new Error(`${where}: this host runs no retry policies.`);
  const resolved = Object.entries(metadata.bindings).map(
    ([bindingName, binding]) => [bindingName, resolveBinding(binding, env, where)] as const,
  );
  const triggers = resolved.filter(([, binding]) => /trigger$/i.test(binding.type));
  const [triggerName, binding] = triggers[0] ?? [];
  if (triggerName === undefined || binding === undefined) throw new Error(`${where} has no trigger.`);
  return {
    name,
    metadata,
    callback,
    triggerName,
    trigger: readTrigger(name, binding),
    queueOutputs: resolved
      .filter(([bindingName]) => bindingName !== triggerName)
      .flatMap(([bindingName, other]) => readOutput(bindingName, other, where)),
    isDisabled: /^(true|1)$/i.test(env[`AzureWebJobs.${name}.Disabled`] ?? ''),
  };
}

const httpSchema = z.object({
  route: z.string().optional(),
  methods: z.array(z.string().toUpperCase()).default([]),
  authLevel: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['anonymous', 'function', 'admin'])),
});
const timerSchema = z.object({
  schedule: z.string(),
  runOnStartup: z.boolean().default(false),
  useMonitor: z.boolean().default(true),
});
const queueSchema = z.object({ queueName: z.string().toLowerCase(), connection: z.string().default('') });

function readTrigger(name: string, binding: Binding): Trigger {
  switch (binding.type.toLowerCase()) {
    case 'httptrigger': {
      const { route, ...rest } = httpSchema.parse(binding);
      return { kind: 'http', route: route === undefined || route === '' ? name : route, ...rest };
    }
    case 'timertrigger':
      return { kind: 'timer', ...timerSchema.parse(binding) };
    case 'queuetrigger':
      return { kind: 'queue', ...queueSchema.parse(binding) };
    default:
      throw new Error(`Function "${name}": this host runs http, timer and queue triggers, not "${binding.type}".`);
  }
}

function readOutput(bindingName: string, binding: Binding, where: string): QueueOutput[] {
  const type = binding.type.toLowerCase();
  if (binding.direction === 'out' && type === 'queue') return [{ bindingName, ...queueSchema.parse(binding) }];
  if (binding.direction === 'out' && type === 'http') return [];
  throw new Error(`${where}: this host has http and queue outputs, no "${binding.type}" ${binding.direction}put.`);
}

/** Replaces `%NAME%` in every text property: route, schedule, queueName, connection. */
function resolveBinding(binding: Binding, env: NodeJS.ProcessEnv, where: string): Binding {
  const resolved = Object.entries(binding).map(([property, value]) => [
    property,
    typeof value === 'string' ? resolveSettings(value, env, `${where}, ${property}`) : value,
  ]);
  return { ...Object.fromEntries(resolved), type: binding.type, direction: binding.direction };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
