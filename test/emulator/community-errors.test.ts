import { expect, it } from 'vitest';
import { startEmulator } from '../../local/hub-lab/index.ts';
import { anApple, caller, describe, entry, textOf } from './hub-caller.ts';

const namespaces = [{ name: 'n', hubs: ['h'] }];

it.each([
  [
    'a tag with a dollar sign',
    'PUT',
    'registrations/1-2-3',
    anApple({ tags: '$InstallationId:{x}' }),
    /^Tags can not start with \$\.TrackingId/,
  ],
  [
    'a kind of registration it does not know',
    'POST',
    'registrations',
    entry(describe('FcmRegistrationDescription', '<FcmRegistrationId>a</FcmRegistrationId>')),
    /^The specified resource description is invalid\.\.TrackingId/,
  ],
  ['what is no XML', 'POST', 'registrations', '<entry', /^The specified resource description is invalid\./],
  [
    'an element outside the contract',
    'POST',
    'registrations',
    entry(describe('AppleRegistrationDescription', '<DeviceToken>a</DeviceToken><Surprise/>')),
    /^The specified resource description is invalid\./,
  ],
  [
    'a registration without its handle',
    'POST',
    'registrations',
    entry(describe('GcmRegistrationDescription', '<Tags>a</Tags>')),
    /^The specified resource description is invalid\./,
  ],
  [
    'an installation without a channel',
    'PUT',
    'installations/i',
    { platform: 'gcm' },
    /^Installation validation failed with following error\(s\):&#xD;\n'PushChannel' is required\.&#xD;\nValue cannot be null\.&#xD;\nParameter name: gcmRegistrationId\.\.TrackingId/,
  ],
  [
    'an installation with a blank in a tag',
    'PUT',
    'installations/i',
    { platform: 'apns', pushChannel: 'a', tags: ['two words'] },
    /^Installation validation failed with following error\(s\):\nAn invalid tag\(s\) 'two words' was supplied\. Valid tag characters are alphanumeric, _, @, -, \., : and #\.\.TrackingId/,
  ],
  [
    'an installation with a reserved tag',
    'PUT',
    'installations/i',
    { platform: 'apns', pushChannel: 'a', tags: ['$UserId:{u}'] },
    /^Installation validation failed/,
  ],
  [
    'a tag of more than 120 characters',
    'PUT',
    'installations/i',
    { platform: 'apns', pushChannel: 'a', tags: ['x'.repeat(121)] },
    /^Installation validation failed/,
  ],
])('refuses %s with the text that users reported', async (_, method, path, body, text) => {
  await using emulator = await startEmulator({ namespaces });
  const answer = await caller(emulator.namespace('n'))(method, `h/${path}`, body);
  expect([answer.status, textOf(answer.text, 'Code')]).toEqual([400, '400']);
  expect(textOf(answer.text, 'Detail')).toMatch(text);
  expect([...emulator.hub('n', 'h').registrations()]).toEqual([]);
});
