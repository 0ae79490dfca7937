import type { TokenCredential } from '@azure/identity';
import { z } from 'zod';
import { hubIdOf } from '../../local/hub-lab/arm-routes.ts';
import type { Emulator } from '../../local/hub-lab/index.ts';
import { type Arm, createArm } from '../../src/azure/arm.ts';
import { type HubResource, parseHubResource } from '../../src/azure/hub-resource.ts';
import { createTokens } from '../../src/azure/tokens.ts';
import { keysOf } from '../../src/compose.ts';

const tokenSchema = z.object({ access_token: z.string(), expires_on: z.coerce.number() });

/** Asks the emulator's identity endpoint. The package's own credential keeps what it found first for the whole process. */
export function emulatedIdentity({ arm }: Emulator): TokenCredential {
  return {
    async getToken(scope) {
      const url = new URL(arm.settings.IDENTITY_ENDPOINT);
      url.searchParams.set('resource', String(scope).replace('/.default', ''));
      url.searchParams.set('api-version', '2019-08-01');
      const answer = await fetch(url, { headers: { 'x-identity-header': arm.settings.IDENTITY_HEADER } });
      if (!answer.ok)
        throw Object.assign(new Error('refused'), { name: 'AuthenticationError', statusCode: answer.status });
      const { access_token: token, expires_on } = tokenSchema.parse(await answer.json());
      return { token, expiresOnTimestamp: expires_on * 1000 };
    },
  };
}

export function emulatedArm(emulator: Emulator, callTimeoutMs = 2000): Arm {
  const tokens = createTokens({ open: async () => emulatedIdentity(emulator), tokenTimeoutMs: callTimeoutMs });
  return createArm({ endpoint: emulator.arm.settings.ARM_ENDPOINT, tokens, callTimeoutMs });
}

export function resourceOf(namespace: string): HubResource {
  const resource = parseHubResource(hubIdOf(namespace, 'devices'));
  if (resource === undefined) throw new Error(`no hub ${namespace}`);
  return resource;
}

/** What a client is made of that knows the hub by its resource id alone. */
export function byIdentity(emulator: Emulator, namespace: string) {
  const connection = { hubName: 'devices', ref: { namespace, hub: 'devices' } };
  return { connection, keys: keysOf(emulatedArm(emulator), connection, resourceOf(namespace)) };
}
