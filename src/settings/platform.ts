import type { Platform } from '../core/readiness/platform.ts';
import { type Environment, textOf } from './reader.ts';

export interface Runtime {
  readonly version: string;
  readonly execArgv: readonly string[];
  readonly heapLimitBytes: number;
}

/** What the platform says of the app in its environment (learn.microsoft.com, "Environment variables in App Service"). */
export function readPlatform(env: Environment, { version, execArgv, heapLimitBytes }: Runtime): Platform {
  const wanted = textOf(env, 'languageWorkers__node__arguments')?.split(/\s+/) ?? [];
  const given = [...execArgv, ...(textOf(env, 'NODE_OPTIONS')?.split(/\s+/) ?? [])];
  return {
    nodeVersion: version,
    region: textOf(env, 'REGION_NAME'),
    appName: textOf(env, 'WEBSITE_SITE_NAME'),
    resourceGroup: textOf(env, 'WEBSITE_RESOURCE_GROUP'),
    heapLimitMegabytes: Math.round(heapLimitBytes / 1024 / 1024),
    missingArguments: wanted.filter((argument) => !given.includes(argument)),
  };
}
