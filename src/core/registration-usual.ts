import { canonicalHandle, DESCRIPTION, handleElements } from './registration-elements.ts';
import { decodeText } from './registration-xml-text.ts';

/** What `parseRegistration` reads of a description; `undefined` is absent. */
export interface UsualFields {
  readonly platform: string;
  readonly isTemplate: boolean;
  readonly id: string;
  readonly etag: string | undefined;
  readonly expirationTime: string | undefined;
  readonly tags: string | undefined;
  readonly handle: string;
  readonly templateName: string | undefined;
}

/**
 * Reads a description that is written as the service writes nearly all: its elements in its order, nothing between
 * them. That takes a third of the general reader's time. `undefined` leaves it to that reader, which finds the fault if
 * there is one. With `decode` the description may be in another form, in which ASCII is as it is, and so is all markup.
 */
export function readUsual(xml: string, decode: (raw: string) => string = asItIs): UsualFields | undefined {
  ROOT.lastIndex = 0;
  const [root = '', platform = '', template = ''] = ROOT.exec(xml) ?? [];
  const handleName = handleElements.get(platform);
  if (handleName === undefined) return undefined;
  const place: Place = {
    xml,
    at: root.length,
    hasCdataEnd: xml.includes(CDATA_END),
    isPlain: !xml.includes('&') && !xml.includes('\r'),
    decode,
  };
  const etag = take(place, '<ETag>', '</ETag>');
  const expirationTime = take(place, '<ExpirationTime>', '</ExpirationTime>');
  const id = take(place, '<RegistrationId>', '</RegistrationId>')?.trim();
  const tags = take(place, '<Tags>', '</Tags>');
  pass(place, '<PushVariables>', '</PushVariables>');
  const handle = canonicalHandle(platform, take(place, `<${handleName}>`, `</${handleName}>`) ?? '');
  pass(place, '<P256DH>', '</P256DH>');
  pass(place, '<Auth>', '</Auth>');
  const templateName = template === '' ? undefined : takeTemplate(place);
  const end = `</${platform}${template}RegistrationDescription>`;
  const isWhole = xml.startsWith(end, place.at) && xml.length === place.at + end.length;
  if (!isWhole || id === undefined || id === '' || handle === '') return undefined;
  return { platform, isTemplate: template !== '', id, etag, expirationTime, tags, handle, templateName };
}

const CDATA_END = ']]>';

const ROOT = new RegExp(
  '<([A-Za-z]\\w*?)(Template)?RegistrationDescription (?:CONNECT INSTANCE|INSTANCE CONNECT)>'
    .replaceAll('CONNECT', 'xmlns="http://schemas\\.microsoft\\.com/netservices/2010/10/servicebus/connect"')
    .replaceAll('INSTANCE', 'xmlns:i="http://www\\.w3\\.org/2001/XMLSchema-instance"'),
  'y',
);

interface Place {
  readonly xml: string;
  at: number;
  readonly hasCdataEnd: boolean;
  /** It holds no references and no line ends that are read as another. */
  readonly isPlain: boolean;
  readonly decode: (raw: string) => string;
}

function asItIs(raw: string): string {
  return raw;
}

/** The place moved behind what makes a template, whose name is the answer. */
function takeTemplate(place: Place): string | undefined {
  pass(place, '<BodyTemplate><![CDATA[', ']]></BodyTemplate>');
  pass(place, '<Expiry>', '</Expiry>');
  skip(place, NIL_EXPIRY);
  skip(place, HEADERS);
  const name = take(place, '<TemplateName>', '</TemplateName>');
  if (name === undefined) skip(place, NIL_NAME);
  skip(place, HEADERS);
  return name;
}

const NIL_EXPIRY = /<Expiry i:nil="true"\/>/y;
const NIL_NAME = /<TemplateName i:nil="true"\/>/y;
const HEADERS =
  /<(Apns|Mpns|Wns)Headers>(?:<\1Header><Header>[^<&\]\r]*<\/Header><Value>[^<&\]\r]*<\/Value><\/\1Header>)+<\/\1Headers>/y;

function skip(place: Place, pattern: RegExp): void {
  pattern.lastIndex = place.at;
  if (pattern.test(place.xml)) place.at = pattern.lastIndex;
}

/** The text between two tags and the place moved behind them; `undefined` where they do not stand there as usual. */
function take(place: Place, open: string, close: string): string | undefined {
  const raw = cut(place, open, close);
  if (raw === undefined) return undefined;
  const text = place.decode(raw);
  return place.isPlain || close.startsWith(CDATA_END) ? text : decodeText(text, DESCRIPTION);
}

/** Moves the place behind an element that is not looked at but for references that are none. */
function pass(place: Place, open: string, close: string): void {
  const raw = cut(place, open, close);
  if (raw !== undefined && !place.isPlain && !close.startsWith(CDATA_END)) decodeText(raw, DESCRIPTION);
}

function cut(place: Place, open: string, close: string): string | undefined {
  const { xml, at } = place;
  if (!xml.startsWith(open, at)) return undefined;
  const start = at + open.length;
  const isCdata = close.startsWith(CDATA_END);
  const end = xml.indexOf(isCdata ? CDATA_END : '<', start);
  if (!xml.startsWith(close, end)) return undefined;
  const raw = xml.slice(start, end);
  if (!isCdata && place.hasCdataEnd && raw.includes(CDATA_END)) return undefined;
  place.at = end + close.length;
  return raw;
}
