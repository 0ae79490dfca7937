import type { Platform } from '../../src/core/readiness/platform.ts';

export const testPlatform: Platform = {
  nodeVersion: '24.0.0',
  region: undefined,
  appName: undefined,
  resourceGroup: undefined,
  heapLimitMegabytes: 224,
  missingArguments: [],
};
