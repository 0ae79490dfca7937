import { DrError } from '../errors.ts';
import { readXml, textOfChild, type XmlElement } from '../xml/element.ts';

/** What a push service has said of a device, as a hub passes it on. */
export interface Verdict {
  /** When it said so (epoch ms). */
  readonly at: number;
  readonly meaning: Meaning;
  /** As registrations have it: `Apple`, `FcmV1`, …; one unknown to this version as it comes. */
  readonly platform: string;
  /** As registrations have it: Apple tokens in upper case. */
  readonly handle: string;
  readonly installationId: string | undefined;
  /** By which the device is reached from now on. */
  readonly newHandle: string | undefined;
}

/**
 * `dead`: no device answers to the handle. `renewed`: it has another one. `credentials`: the hub's own, and so nothing of
 * the device. `passing`: nothing lasting.
 */
export type Meaning = 'dead' | 'renewed' | 'credentials' | 'passing';

/**
 * The names of `NotificationSystemError`, by the numbers that the vendor's sample gives them. Any other is passing: what
 * is not known is no reason to remove a device.
 */
const ERRORS: ReadonlyMap<string, readonly [number: string, meaning: Meaning]> = new Map([
  ['invalidcredentials', ['1', 'credentials']],
  ['badchannel', ['4', 'dead']],
  ['expiredchannel', ['5', 'dead']],
  ['invalidtoken', ['11', 'credentials']],
  ['wrongtoken', ['12', 'dead']],
  ['wrongchannel', ['18', 'dead']],
  ['refreshtoken', ['19', 'renewed']],
]);
const MEANING_BY_NUMBER: ReadonlyMap<string, Meaning> = new Map(ERRORS.values());

/** By the names that APIs, templates and portals use for them. */
const PLATFORMS: ReadonlyMap<string, string> = new Map([
  ['apns', 'Apple'],
  ['apple', 'Apple'],
  ['wns', 'Windows'],
  ['windows', 'Windows'],
  ['mpns', 'Mpns'],
  ['windowsphone', 'Mpns'],
  ['adm', 'Adm'],
  ['gcm', 'Gcm'],
  ['fcm', 'Gcm'],
  ['fcmv1', 'FcmV1'],
  ['baidu', 'Baidu'],
  ['browser', 'Browser'],
  ['webpush', 'Browser'],
  ['xiaomi', 'Xiaomi'],
]);

/** A document without an end within this many characters is damaged. */
const LONGEST = 65_536;
const START = /<(?:[\w.-]+:)?PnsFeedback[\s>]/g;
const END = /<\/(?:[\w.-]+:)?PnsFeedback\s*>/g;

export interface ReadVerdicts {
  readonly verdicts: readonly Verdict[];
  /** Documents that could not be read. */
  readonly unreadable: number;
  /** Characters from the start that need not be read again: what follows may be the start of a document. */
  readonly done: number;
}

/**
 * Reads documents that follow one another, each with or without a declaration, whatever encoding that names. `isWhole`:
 * nothing comes after the text, and what is not complete is damaged.
 */
export function readVerdicts(text: string, isWhole: boolean): ReadVerdicts {
  const verdicts: Verdict[] = [];
  let unreadable = 0;
  let done = 0;
  let start = find(START, text, 0);
  let end = find(END, text, 0);
  for (;;) {
    if (start === undefined) return { verdicts, unreadable, done: isWhole ? text.length : keepTail(text, done) };
    // Looked for once: whatever the text is, it is gone through once.
    if (end !== undefined && end.at < start.at) end = find(END, text, start.at);
    const next = find(START, text, start.end);
    if (next !== undefined && (end === undefined || next.at < end.at)) {
      unreadable += 1;
      done = next.at;
      start = next;
    } else if (end !== undefined) {
      const verdict = toVerdict(text.slice(start.at, end.end));
      if (verdict === undefined) unreadable += 1;
      else verdicts.push(verdict);
      done = end.end;
      start = next;
    } else if (isWhole || text.length - start.at > LONGEST) {
      return { verdicts, unreadable: unreadable + 1, done: text.length };
    } else return { verdicts, unreadable, done: start.at };
  }
}

/** A start may be cut: its last characters are read again. */
function keepTail(text: string, done: number): number {
  const at = text.lastIndexOf('<');
  return at >= done && text.length - at < 100 ? at : text.length;
}

function find(pattern: RegExp, text: string, from: number): { readonly at: number; readonly end: number } | undefined {
  pattern.lastIndex = from;
  const found = pattern.exec(text);
  return found === null ? undefined : { at: found.index, end: pattern.lastIndex };
}

/** `undefined`: it does not say when, of whom, or what. */
function toVerdict(xml: string): Verdict | undefined {
  const root = tryRead(withoutPrefixes(xml));
  if (root === undefined) return undefined;
  const textOf = (name: string): string | undefined => textOfChild(root, name)?.trim() || undefined;
  const [at, error, given, handle] = ['FeedbackTime', 'NotificationSystemError', 'Platform', 'PnsHandle'].map(textOf);
  const atMs = at === undefined ? undefined : instantOf(at);
  if (atMs === undefined || error === undefined || given === undefined || handle === undefined) return undefined;
  const platform = PLATFORMS.get(given.toLowerCase()) ?? given;
  const asListed = (text: string): string => (platform === 'Apple' ? text.toUpperCase() : text);
  const newHandle = textOf('NewPnsHandle');
  const meaning = meaningOf(error);
  return {
    at: atMs,
    meaning: newHandle !== undefined && meaning !== 'credentials' ? 'renewed' : meaning,
    platform,
    handle: asListed(handle),
    installationId: textOf('InstallationId'),
    newHandle: newHandle && asListed(newHandle),
  };
}

function meaningOf(error: string): Meaning {
  return ERRORS.get(error.toLowerCase())?.[1] ?? MEANING_BY_NUMBER.get(error) ?? 'passing';
}

/** A prefix may be declared on an element that is not part of the document. */
function withoutPrefixes(xml: string): string {
  return xml.replace(/^<([\w.-]+):PnsFeedback(?![^>]*xmlns:\1=)/, '<$1:PnsFeedback xmlns:$1="urn:feedback"');
}

function tryRead(xml: string): XmlElement | undefined {
  try {
    return readXml(xml, { what: 'Feedback', isRetryable: false, mayBeDeclared: false });
  } catch (error) {
    if (error instanceof DrError) return undefined;
    throw error;
  }
}

/** Without a zone it is UTC. `undefined` when it is no instant. */
function instantOf(text: string): number | undefined {
  const hasZone = /(?:z|[+-]\d{2}:?\d{2}|gmt|utc)$/i.test(text);
  const atMs = Date.parse(hasZone ? text : /^\d{4}-\d{2}-\d{2}T/.test(text) ? `${text}Z` : `${text} UTC`);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/**
 * Text of feedback as bytes. Documents call themselves UTF-16 while their bytes may be UTF-8 all the same: of text that is
 * nearly ASCII the zeros tell. `bytesOf` gives how many bytes the characters are that `readVerdicts` is done with.
 */
export function decodeFeedback(bytes: Uint8Array) {
  const encoding = encodingOf(bytes);
  const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
  const bytesOf = (done: number): number => {
    if (done >= text.length) return bytes.length;
    return encoding === 'utf-8' ? afterBrackets(bytes, text, done) : 2 * done;
  };
  return { text, bytesOf };
}

/** Of a place after a closing bracket or before an opening one, also where bytes are no UTF-8. */
function afterBrackets(bytes: Uint8Array, text: string, done: number): number {
  let left = 0;
  for (let at = 0; at < done; at += 1) if (text[at] === '<' || text[at] === '>') left += 1;
  const isAfter = text[done - 1] === '>';
  for (const [place, byte] of bytes.entries()) {
    if (byte !== 0x3c && byte !== 0x3e) continue;
    if (left === 0) return place;
    left -= 1;
    if (left === 0 && isAfter) return place + 1;
  }
  return bytes.length;
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const looked = bytes.subarray(0, 4096);
  const zeros = [0, 0];
  for (const [place, byte] of looked.entries()) if (byte === 0) zeros[place % 2] = (zeros[place % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (Math.max(even, odd) * 4 < looked.length) return 'utf-8';
  return odd > even ? 'utf-16le' : 'utf-16be';
}
