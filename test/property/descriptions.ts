import fc from 'fast-check';

export interface Field {
  readonly name: string;
  readonly text: string;
  readonly children?: readonly Field[];
}

/** What a description says, apart from how it is written. */
export interface Description {
  readonly type: string;
  readonly fields: readonly Field[];
}

const CONNECT = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';

const someText = fc.string({
  unit: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...'abcXYZ019 -_{}":,$(') },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ...['<', '>', '&', "'", '"', ']', ']]>', '<![CDATA[', '-->', '\n', '\t', '</x>', '&amp;'],
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(...['é', '中', '\u00a0', '\u2028', '😀', '𝒳', '\ufffd']) },
  ),
  maxLength: 24,
});
const someToken = fc.string({ unit: fc.constantFrom(...'abcdefABCDEF0123456789:_-'), minLength: 1, maxLength: 40 });
const someTag = fc.string({ unit: fc.constantFrom(...'abcXYZ019_@#.:-'), minLength: 1, maxLength: 12 });

const handles: Readonly<Record<string, readonly string[]>> = {
  Windows: ['ChannelUri'],
  Mpns: ['ChannelUri'],
  Apple: ['DeviceToken'],
  Gcm: ['GcmRegistrationId'],
  FcmV1: ['FcmV1RegistrationId'],
  Adm: ['AdmRegistrationId'],
  Baidu: ['BaiduUserId', 'BaiduChannelId'],
  Browser: ['Endpoint', 'P256DH', 'Auth'],
  Xiaomi: ['XiaomiRegistrationId'],
};
const headerNames: Readonly<Record<string, string>> = { Windows: 'Wns', Mpns: 'Mpns', Apple: 'Apns' };

/** Names of the contract's own are left out: an unknown element must not be taken for one. */
const unknownName = fc.stringMatching(/^Zz[A-Za-z0-9._-]{0,8}$/);

const unknownField: fc.Arbitrary<Field> = fc.letrec<{ field: Field }>((tie) => ({
  field: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ name: unknownName, text: someText }),
    fc.record({
      name: unknownName,
      text: fc.constant(''),
      children: fc.array(tie('field'), { minLength: 1, maxLength: 3 }),
    }),
  ),
})).field;

interface Parts {
  readonly platform: string;
  readonly isTemplate: boolean;
  readonly id: string;
  readonly etag: number;
  readonly tags: readonly string[];
  readonly variables: Readonly<Record<string, string>> | undefined;
  readonly tokens: readonly [string, string, string];
  readonly body: string;
  readonly templateName: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly unknown: readonly Field[];
}

const someParts: fc.Arbitrary<Parts> = fc.record({
  platform: fc.constantFrom(...Object.keys(handles)),
  isTemplate: fc.boolean(),
  id: someToken,
  etag: fc.nat(),
  tags: fc.array(someTag, { maxLength: 5 }),
  variables: fc.option(fc.dictionary(someTag, someText, { maxKeys: 3 }), { nil: undefined }),
  tokens: fc.tuple(someToken, someToken, someToken),
  body: someText,
  templateName: someText,
  headers: fc.array(fc.tuple(someTag, someText), { maxLength: 3 }),
  unknown: fc.array(unknownField, { maxLength: 3 }),
});

function describe(parts: Parts): Description {
  const { platform, isTemplate, tokens, tags, variables } = parts;
  const field = (name: string, text: string): Field => ({ name, text });
  const headerName = headerNames[platform];
  const headers = parts.headers.map(([name, value]) => ({
    name: `${headerName}Header`,
    text: '',
    children: [field('Header', name), field('Value', value)],
  }));
  const template = isTemplate ? [field('BodyTemplate', parts.body), field('TemplateName', parts.templateName)] : [];
  const fields = [
    field('ETag', String(parts.etag)),
    field('ExpirationTime', '9999-12-31T23:59:59.999Z'),
    field('RegistrationId', parts.id),
    ...(tags.length === 0 ? [] : [field('Tags', tags.join(','))]),
    ...(variables === undefined ? [] : [field('PushVariables', JSON.stringify(variables))]),
    ...(handles[platform] ?? []).map((name, index) => field(name, tokens[index] ?? '')),
    ...template,
    ...(isTemplate && headerName !== undefined && headers.length > 0
      ? [{ name: `${headerName}Headers`, text: '', children: headers }]
      : []),
    ...dedupe(parts.unknown),
  ];
  return { type: `${platform}${isTemplate ? 'Template' : ''}RegistrationDescription`, fields };
}

/** A description, the XML it was written as, and what the parser must find in it. */
export const aDescription = fc.tuple(someParts, fc.infiniteStream(fc.nat())).map(([parts, choices]) => {
  const source = describe(parts);
  const [first, second] = parts.tokens;
  // A hyphen of the first part does not join the two.
  const joined = `${first.replace(/[%-]/g, (sign) => (sign === '%' ? '%25' : '%2D'))}-${second}`;
  const handle = parts.platform === 'Apple' ? first.toUpperCase() : parts.platform === 'Baidu' ? joined : first;
  const made = {
    id: parts.id,
    etag: parts.etag,
    tags: parts.tags,
    platform: parts.platform,
    isTemplate: parts.isTemplate,
    handle,
    templateName: parts.isTemplate && parts.templateName !== '' ? parts.templateName : undefined,
  };
  return { source, made, xml: render(source, choices) };
});

/** Writes a description with every freedom XML gives, by the choices. */
export function render({ type, fields }: Description, choices: Iterator<number>): string {
  const choose = (count: number): number => (choices.next().value ?? 0) % count;
  const prefix = choose(4) === 0 ? 'c:' : '';
  const instance = choose(2) === 0 ? 'i' : 'xsi';
  const quote = choose(2) === 0 ? '"' : "'";
  const declarations = [
    `xmlns${prefix === '' ? '' : ':c'}=${quote}${CONNECT}${quote}`,
    `xmlns:${instance} = ${quote}${INSTANCE}${quote}`,
  ];
  if (choose(2) === 0) declarations.reverse();
  const isBase = choose(3) === 0;
  const root = prefix + (isBase ? 'RegistrationDescription' : type);
  const typed = isBase ? ` ${instance}:type="${prefix}${type}"` : '';
  const write = (field: Field): string => {
    const name = prefix + field.name;
    const attribute = field.name.startsWith('Zz') && field.name.length % 3 === 0 ? ` a='x > "y" &amp; z'` : '';
    const content =
      field.children === undefined
        ? writeText(field.text, choose)
        : field.children.map((child) => gap(choose) + write(child)).join('');
    if (content === '' && choose(2) === 0)
      return `<${name}${attribute}${choose(2) === 0 ? ` ${instance}:nil="true"` : ''}/>`;
    return `<${name}${attribute}>${content}</${name}${choose(5) === 0 ? ' ' : ''}>`;
  };
  const inner = fields.map((field) => gap(choose) + write(field)).join('');
  return `<${root} ${declarations.join('\n')}${typed}>${inner}${gap(choose)}</${root}>`;
}

/** The same description in another element order. */
export function shuffled(source: Description, choices: Iterator<number>): Description {
  const fields = [...source.fields];
  for (let index = fields.length - 1; index > 0; index--) {
    const other = (choices.next().value ?? 0) % (index + 1);
    const [a, b] = [fields[index], fields[other]];
    if (a !== undefined && b !== undefined) [fields[index], fields[other]] = [b, a];
  }
  return { ...source, fields };
}

/** Damages a text in one to three places. */
export const mutations: fc.Arbitrary<(xml: string) => string> = fc
  .array(
    fc.tuple(
      fc.nat(),
      fc.constantFrom('cut', 'insert', 'drop', 'double'),
      fc.constantFrom(
        '<',
        '>',
        '&',
        '"',
        "'",
        '/',
        ']]>',
        '<![CDATA[',
        '<!--',
        '-->',
        '<?',
        '?>',
        '<!',
        'xmlns="',
        ' ',
        '=',
        ':',
        'a',
        '</',
        '&lt;',
        '\r\n',
        '<a/>',
        'é',
      ),
      fc.nat({ max: 12 }),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((steps) => (xml: string) => {
    let text = xml;
    for (const [place, kind, piece, length] of steps) {
      const at = place % (text.length + 1);
      if (kind === 'cut') text = text.slice(0, at);
      else if (kind === 'insert') text = text.slice(0, at) + piece + text.slice(at);
      else if (kind === 'drop') text = text.slice(0, at) + text.slice(at + 1 + length);
      else text = text.slice(0, at + length) + text.slice(at);
    }
    return text;
  });

/** What a hub gives is decoded from UTF-8, which gives no half of a surrogate pair. */
export function asDecoded(text: string): string {
  return text.toWellFormed();
}

/** Unknown elements of one name must keep their order, which a shuffle would change. */
function dedupe(fields: readonly Field[]): Field[] {
  return fields.filter((field, index) => fields.findIndex(({ name }) => name === field.name) === index);
}

function gap(choose: (count: number) => number): string {
  return ['', '', '', '', ' ', '\n\t', '<!-- a <b> & c -->', '<?x y?>'][choose(8)] ?? '';
}

function writeText(text: string, choose: (count: number) => number): string {
  switch (choose(4)) {
    case 0:
      return text === '' ? '' : `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
    case 1:
      return [...text]
        .map((character) =>
          choose(3) === 0
            ? `&#${choose(2) === 0 ? character.codePointAt(0) : `x${character.codePointAt(0)?.toString(16)}`};`
            : escapeText(character),
        )
        .join('');
    default:
      return escapeText(text);
  }
}

function escapeText(text: string): string {
  // Most are a single character that needs none.
  if (!/[&<>"]/.test(text)) return text;
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/**
 * As the service writes it: bodies in CDATA, nothing unusual in the root's tag. Tabs of a body become carriage returns,
 * which no other way of writing keeps.
 */
export function renderPlainly(source: Description): string {
  const body = source.fields.find(({ name }) => name === 'BodyTemplate')?.text ?? '';
  const sections = body.replaceAll(']]>', ']]]]><![CDATA[>').replaceAll('\t', ']]>&#xD;<![CDATA[');
  const choices = (function* (): Generator<number> {
    for (;;) yield 2;
  })();
  return render(source, choices)
    .replace('\n', ' ')
    .replace(' = ', '=')
    .replace(/<BodyTemplate>.*<\/BodyTemplate>/s, () => `<BodyTemplate><![CDATA[${sections}]]></BodyTemplate>`);
}
