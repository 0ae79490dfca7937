import type { Installation } from '../emulator/installation.ts';
import type { PlatformSpec } from '../emulator/platforms.ts';
import { integer, pick, type Random } from '../emulator/random.ts';

/** A handle's elements with lengths and characters as the push services make them. */
export function aHandle(random: Random, { name, handle }: PlatformSpec): Map<string, string> {
  const single = (value: string): Map<string, string> => new Map([[handle[0] ?? '', value]]);
  switch (name) {
    case 'Apple':
      return single(hex(random, 64).toUpperCase());
    case 'FcmV1':
    case 'Gcm':
      return single(`${token(random, 11)}_${token(random, 10)}:APA91b${token(random, 134)}`);
    case 'Windows':
      return single(`https://db5p.notify.windows.com/?token=AwYAAAD${token(random, 60)}%2f${token(random, 90)}%3d`);
    case 'Mpns':
      return single(`http://db3.notify.live.net/throttledthirdparty/01.00/${token(random, 90)}`);
    case 'Adm':
      return single(`amzn1.adm-registration.v2.${token(random, 120)}`);
    case 'Xiaomi':
      return single(`${token(random, 40)}+/${token(random, 20)}==`);
    case 'Baidu':
      return new Map([
        ['BaiduUserId', String(1e17 + integer(random, 1e9) * 1e8 + integer(random, 1e8))],
        ['BaiduChannelId', String(1e14 + integer(random, 1e9) * 1e5)],
      ]);
    case 'Browser':
      return new Map([
        ['Endpoint', `https://updates.push.services.mozilla.com/wpush/v2/${token(random, 80)}?a=1&b=2`],
        ['P256DH', `B${token(random, 86)}`],
        ['Auth', token(random, 22)],
      ]);
    default:
      return name satisfies never;
  }
}

/** The handle as an installation has it. */
export function channelOf(
  { name, handle }: PlatformSpec,
  texts: ReadonlyMap<string, string>,
): Installation['pushChannel'] {
  const [first = '', second = '', third = ''] = handle.map((element) => texts.get(element));
  if (name === 'Baidu') return `${first}-${second}`;
  return name === 'Browser' ? { endpoint: first, p256dh: second, auth: third } : first;
}

/** 64 hex characters mostly, else a GUID; a few that a path must percent-encode. */
export function installationId(random: Random): string {
  const draw = random();
  if (draw < 0.7) return hex(random, 64);
  if (draw < 0.99) return guid(random);
  return `team é/${token(random, 8)}#1?x=100%&y+z`;
}

export function userId(random: Random): string {
  return random() < 0.5 ? String(integer(random, 1e9)) : guid(random);
}

/** 0 to 10 tags as applications use them; rarely 60 of them, or one of 120 characters. */
export function someTags(random: Random): string[] {
  const draw = random();
  if (draw < 0.0005) return Array.from({ length: 60 }, (_, index) => `topic-${index}:${token(random, 6)}`);
  if (draw < 0.001) return [`long:${'x'.repeat(108)}${token(random, 7)}`];
  const tags: string[] = [];
  for (let left = integer(random, 11); left > 0; left -= 1) tags.push(oneTag(random));
  return tags;
}

/** Bodies with placeholders; some with line breaks, unicode, or what would end a CDATA section. */
export function aTemplate(random: Random, { name }: PlatformSpec): string {
  const draw = random();
  if (draw < 0.02) return '{"aps":{"alert":"$(message)","data":"a[b[0]]>c & <d> ]]]]>>"}}';
  if (draw < 0.04) return '{\n  "aps": {\r\n    "alert": "$(message)"\n\t}\n}\n';
  if (draw < 0.06) return '{"aps":{"alert":"Grüße, 你好 👋 $(message)"}}';
  if (name === 'Windows' || name === 'Mpns') {
    return '<toast><visual><binding template="ToastText01"><text id="1">$(message)</text></binding></visual></toast>';
  }
  if (name === 'Apple') {
    return '{"aps": {"alert": {"title": "$(title)", "body": "$(message)"}}, "message_id": "$(message_id)"}';
  }
  return '{"message":{"notification":{"title":"$(title)","body":"$(message)"},"data":{"message_id":"$(message_id)"}}}';
}

export function templateHeaders({ name }: PlatformSpec): Record<string, string> {
  if (name === 'Apple') return { 'apns-priority': '10', 'apns-push-type': 'alert' };
  if (name === 'Windows') return { 'X-WNS-Type': 'wns/toast' };
  return name === 'Mpns' ? { 'X-NotificationClass': '1', 'X-WindowsPhone-Target': 'token' } : {};
}

export function variables(random: Random): Record<string, string> {
  return { name: pick(random, ['Zoë', 'Ann & Bob', 'José <3', 'Li']), level: String(integer(random, 100)) };
}

function oneTag(random: Random): string {
  switch (integer(random, 7)) {
    case 0:
      return `user:${integer(random, 1e7)}`;
    case 1:
      return `platform:${pick(random, ['ios', 'android', 'web'])}`;
    case 2:
      return `email:${token(random, 8)}@example.com`;
    case 3:
      return `lang:${pick(random, ['it', 'en', 'de', 'fr', 'ja'])}`;
    case 4:
      return `oid:${guid(random)}`;
    case 5:
      return random() < 0.02 ? 'city:東京' : `city:${pick(random, ['Roma', 'München', 'Tromsø', 'Paris'])}`;
    default:
      return pick(random, ['all', 'web', 'news', 'likes_football', 'likes_hockey', 'Beta#2', 'user:demo']);
  }
}

function hex(random: Random, length: number): string {
  return fill(length, () => integer(random, 0x1_0000_0000).toString(16).padStart(8, '0'));
}

/** Letters, digits, `_` and `-`. */
function token(random: Random, length: number): string {
  return fill(length, () => {
    const text = integer(random, 0x1_0000_0000).toString(36).padStart(7, '0');
    return random() < 0.5 ? text : `${text.toUpperCase()}_-`;
  });
}

function guid(random: Random): string {
  return hex(random, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function fill(length: number, next: () => string): string {
  let text = '';
  while (text.length < length) text += next();
  return text.slice(0, length);
}
