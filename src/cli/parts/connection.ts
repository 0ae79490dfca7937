import { wrongUse } from './errors.ts';
import { say, type Terminal } from './terminal.ts';

const example = 'https://my-dr-app.azurewebsites.net';
export const keyCommand = 'az functionapp keys list -g GROUP -n APP --query functionKeys.default -o tsv';

/** The address from `--url` or the environment. Warns when the key would cross a network unencrypted. */
export function findUrl(option: string | undefined, terminal: Terminal): string {
  const text = option ?? terminal.env['NOTIFICATION_HUBS_DR_URL'] ?? '';
  if (text === '') {
    throw wrongUse(`The address of the app is missing: export NOTIFICATION_HUBS_DR_URL=${example}, or add --url.`);
  }
  const url = parseUrl(text);
  if (isClearText(url)) say(terminal, `Warning: the key goes to ${new URL(url).host} unencrypted. Use https.`);
  return url;
}

/** The function key from `--key`, the environment or the person at the keyboard. */
export async function findKey(option: string | undefined, terminal: Terminal, url: string): Promise<string> {
  const given = (option ?? terminal.env['NOTIFICATION_HUBS_DR_KEY'] ?? '').trim();
  const key = given === '' ? await terminal.ask?.(`Function key of ${url}: `, { isHidden: true }) : given;
  if (key === undefined || key === '') {
    throw wrongUse(`The function key is missing: export NOTIFICATION_HUBS_DR_KEY="$(${keyCommand})"`);
  }
  // A header cannot carry anything else, and the error that says so would quote the key.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw wrongUse('The function key contains characters that no key has. Copy it again.');
  }
  return key;
}

/** Who asks, for what the app keeps of it: `--by`, the environment, or who sits at which keyboard. */
export function findName(option: string | undefined, { env, host, login }: Terminal): string | undefined {
  const given = option ?? env['NOTIFICATION_HUBS_DR_USER'];
  if (given !== undefined) return given;
  const user = env['USER'] ?? env['USERNAME'] ?? login;
  return user === undefined ? undefined : `${user}@${host}`;
}

/** True when the key would cross a network unencrypted. */
export function isClearText(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Accepts an address as people paste it, with or without `/` or `/api` at its end. Never quotes what may be a key. */
function parseUrl(text: string): string {
  const form = `the address of the Function App, such as ${example}`;
  const url = URL.parse(text);
  if (url === null) throw wrongUse(`The address cannot be read as a URL. Give ${form}.`);
  if (!['https:', 'http:'].includes(url.protocol)) throw wrongUse(`The address must be ${form}.`);
  if (url.search !== '' || url.username !== '' || url.password !== '') {
    throw wrongUse(`The address must not contain a key or password. Give ${form}, and the key separately.`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/api$/, '');
}
