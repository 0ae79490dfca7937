import { type Content, canonicalHandle, handleElements, readElements } from './elements.ts';

export type UsualFields = NonNullable<ReturnType<typeof readUsual>>;

/**
 * Reads a description that is written as the service writes nearly all: its elements in its order, nothing between
 * them. That takes a third of the general reader's time. `undefined` leaves it to that reader, which finds the fault if
 * there is one. With `decode` the description may be in another form, in which ASCII is as it is, and so is all markup.
 */
export function readUsual(xml: string, decode: (raw: string) => string = asItIs) {
  ROOT.lastIndex = 0;
  const [root = '', platform = '', template = ''] = ROOT.exec(xml) ?? [];
  const handleTags = HANDLE_TAGS.get(platform);
  if (handleTags === undefined) return undefined;
  const place: Place = {
    xml,
    at: root.length,
    isPlain: isPlain(xml),
    hasCdataEnd: xml.includes(CDATA_END),
    decode,
  };
  const etag = take(place, '<ETag>', '</ETag>');
  const expirationTime = take(place, '<ExpirationTime>', '</ExpirationTime>');
  const id = take(place, '<RegistrationId>', '</RegistrationId>')?.trim();
  const tags = take(place, '<Tags>', '</Tags>');
  const pushVariables = take(place, '<PushVariables>', '</PushVariables>');
  const handle = takeHandle(place, platform, handleTags[0]);
  // Of Baidu alone.
  const channel = handleTags.length > 1 ? takeHandle(place, platform, handleTags[1]) : undefined;
  const p256dh = take(place, '<P256DH>', '</P256DH>');
  const auth = take(place, '<Auth>', '</Auth>');
  const { body, expiry, templateName, headers } = template === '' ? NO_TEMPLATE : takeTemplate(place);
  const end = `</${platform}${template}RegistrationDescription>`;
  const isWhole = xml.startsWith(end, place.at) && xml.length === place.at + end.length;
  if (!isWhole || id === undefined || id === '' || handle === '' || channel === '') return undefined;
  const isTemplate = template !== '';
  const device = { platform, isTemplate, id, etag, expirationTime, tags, pushVariables, handle, channel, p256dh, auth };
  return { ...device, body, expiry, templateName, headers };
}

/** The kind of a description and its contents, in no particular order; elements that say nothing may be left out. */
export function readDescription(xml: string): { readonly type: string; readonly elements: readonly Content[] } {
  const usual = readUsual(xml);
  if (usual === undefined) return readElements(xml);
  const { platform, isTemplate, headers, channel } = usual;
  const [name = '', channelName = ''] = handleElements.get(platform) ?? [];
  const elements = [
    textElement('Tags', usual.tags),
    textElement('PushVariables', usual.pushVariables),
    textElement(name, usual.handle),
    textElement('P256DH', usual.p256dh),
    textElement('Auth', usual.auth),
    textElement('BodyTemplate', usual.body),
    textElement('Expiry', usual.expiry),
    textElement('TemplateName', usual.templateName),
  ];
  if (channel !== undefined) elements.push(textElement(channelName, channel));
  if (headers !== undefined) elements.push(headersElement(headers));
  return { type: `${platform}${isTemplate ? 'Template' : ''}RegistrationDescription`, elements };
}

function textElement(name: string, text = '', children: readonly Content[] = []): Content {
  return { name, text, children, attributes: [] };
}

/** Nothing in them needs decoding, or the description would not have been read as usual. */
export function headersElement(xml: string): Content {
  const headers = Array.from(xml.matchAll(HEADER), ([, platform, name, value]) =>
    textElement(`${platform}Header`, '', [textElement('Header', name), textElement('Value', value)]),
  );
  return textElement(xml.slice(1, xml.indexOf('>')), '', headers);
}

const HEADER = /<(Apns|Mpns|Wns)Header><Header>([^<]*)<\/Header><Value>([^<]*)<\/Value>/g;

/** The tags around each part of the handle, by platform. */
const HANDLE_TAGS = new Map(
  [...handleElements].map(([platform, names]) => [
    platform,
    names.map((name) => ({ open: `<${name}>`, close: `</${name}>` })),
  ]),
);

const CDATA_START = '<![CDATA[';
const CDATA_END = ']]>';

const ROOT = new RegExp(
  '<([A-Za-z]\\w*?)(Template)?RegistrationDescription (?:CONNECT INSTANCE|INSTANCE CONNECT)>'
    .replaceAll('CONNECT', 'xmlns="http://schemas\\.microsoft\\.com/netservices/2010/10/servicebus/connect"')
    .replaceAll('INSTANCE', 'xmlns:i="http://www\\.w3\\.org/2001/XMLSchema-instance"'),
  'y',
);

function takeHandle(
  place: Place,
  platform: string,
  tags: { readonly open: string; readonly close: string } | undefined,
) {
  return tags === undefined ? '' : canonicalHandle(platform, take(place, tags.open, tags.close) ?? '');
}

interface Place {
  readonly xml: string;
  at: number;
  readonly isPlain: boolean;
  readonly hasCdataEnd: boolean;
  readonly decode: (raw: string) => string;
}

function asItIs(raw: string): string {
  return raw;
}

const NO_TEMPLATE = { body: undefined, expiry: undefined, templateName: undefined, headers: undefined };

/** What makes a template, and the place moved behind it: its headers are the XML of the collection. */
function takeTemplate(place: Place) {
  const body = takeBody(place);
  const expiry = take(place, '<Expiry>', '</Expiry>');
  takeMatch(place, NIL_EXPIRY);
  const before = takeMatch(place, HEADERS);
  const templateName = take(place, '<TemplateName>', '</TemplateName>');
  if (templateName === undefined) takeMatch(place, NIL_NAME);
  return { body, expiry, templateName, headers: before ?? takeMatch(place, HEADERS) };
}

/**
 * The text of CDATA sections, of which one that holds `]]>` takes two, with references for the carriage returns between
 * them: within one, an XML parser reports every line end as one line feed.
 */
function takeBody(place: Place): string | undefined {
  const { xml } = place;
  if (!xml.startsWith(BODY_START, place.at)) return undefined;
  let at = place.at + BODY_START.length;
  let body = '';
  while (!xml.startsWith(BODY_END, at)) {
    if (xml.startsWith(CDATA_START, at)) {
      const start = at + CDATA_START.length;
      const end = xml.indexOf(CDATA_END, start);
      if (end < 0) return undefined;
      const text = place.decode(xml.slice(start, end));
      body += text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
      at = end + CDATA_END.length;
    } else if (xml.startsWith(CARRIAGE_RETURN, at)) {
      body += '\r';
      at += CARRIAGE_RETURN.length;
    } else return undefined;
  }
  place.at = at + BODY_END.length;
  return body;
}

const BODY_START = '<BodyTemplate>';
const BODY_END = '</BodyTemplate>';
const CARRIAGE_RETURN = '&#xD;';

const NIL_EXPIRY = /<Expiry i:nil="true"\/>/y;
const NIL_NAME = /<TemplateName i:nil="true"\/>/y;
const HEADERS =
  /<(Apns|Mpns|Wns)Headers>(?:<\1Header><Header>[^<&\]\r]*<\/Header><Value>[^<&\]\r]*<\/Value><\/\1Header>)+<\/\1Headers>/y;

function takeMatch(place: Place, pattern: RegExp): string | undefined {
  const { xml, at } = place;
  pattern.lastIndex = at;
  if (!pattern.test(xml)) return undefined;
  place.at = pattern.lastIndex;
  return xml.slice(at, place.at);
}

/** The text between two tags and the place moved behind them; `undefined` unless they follow here as usual. */
function take(place: Place, open: string, close: string): string | undefined {
  const { xml, at } = place;
  if (!xml.startsWith(open, at)) return undefined;
  const start = at + open.length;
  const end = xml.indexOf('<', start);
  if (!xml.startsWith(close, end)) return undefined;
  const raw = xml.slice(start, end);
  // It may not be outside a CDATA section.
  if (place.hasCdataEnd && raw.includes(CDATA_END)) return undefined;
  if (place.isPlain || isPlain(raw)) {
    place.at = end + close.length;
    return place.decode(raw);
  }
  if (NEEDS_PARSER.test(raw)) return undefined;
  place.at = end + close.length;
  return decodeNamed(place.decode(raw));
}

/** It holds no references, and no line ends that are read as another. */
function isPlain(text: string): boolean {
  return !text.includes('&') && !text.includes('\r');
}

/** A line end to normalise, or any reference but the five that XML names. */
const NEEDS_PARSER = /\r|&(?!(?:lt|gt|amp|quot|apos);)/;

function decodeNamed(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
