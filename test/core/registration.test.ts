import { describe, expect, test } from 'vitest';
import { DrError } from '../../src/core/errors.ts';
import {
  canonicalRow,
  descriptionForWrite,
  installationIdOf,
  parseRegistration,
  readElements,
  userIdOf,
} from '../../src/core/registration/registration.ts';
import { splitTags } from '../../src/core/registration/tags.ts';
import { descriptionsIn, readRecordings } from '../support/recordings.ts';

const CONNECT = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';

function aDescription(type: string, elements: string): string {
  return `<${type}RegistrationDescription xmlns="${CONNECT}" xmlns:i="${INSTANCE}">${elements}</${type}RegistrationDescription>`;
}

const common =
  '<ETag>7</ETag><ExpirationTime>9999-12-31T23:59:59.999Z</ExpirationTime><RegistrationId>1-2-3</RegistrationId>';

const apple = aDescription('Apple', `${common}<Tags>a, b ,,c</Tags><DeviceToken>ab12</DeviceToken>`);

describe('parseRegistration', () => {
  test('reads an Apple registration, its token in upper case', () => {
    expect(parseRegistration(apple)).toEqual({
      xml: apple,
      id: '1-2-3',
      etag: 7,
      expirationTime: '9999-12-31T23:59:59.999Z',
      tags: ['a', 'b', 'c'],
      platform: 'Apple',
      isTemplate: false,
      handle: 'AB12',
      templateName: undefined,
      tileName: undefined,
    });
  });

  test.each([
    ['Windows', '<ChannelUri>https://c/</ChannelUri>', 'https://c/'],
    ['Mpns', '<ChannelUri>https://c/</ChannelUri>', 'https://c/'],
    ['Gcm', '<GcmRegistrationId>Gg</GcmRegistrationId>', 'Gg'],
    ['FcmV1', '<FcmV1RegistrationId>f:1_-</FcmV1RegistrationId>', 'f:1_-'],
    ['Adm', '<AdmRegistrationId>amzn</AdmRegistrationId>', 'amzn'],
    ['Baidu', '<BaiduChannelId>c</BaiduChannelId><BaiduUserId>u</BaiduUserId>', 'u-c'],
    ['Baidu', '<BaiduUserId>77</BaiduUserId><BaiduChannelId>88-9</BaiduChannelId>', '77-88-9'],
    ['Baidu', '<BaiduUserId>77-88</BaiduUserId><BaiduChannelId>9</BaiduChannelId>', '77%2D88-9'],
    ['Baidu', '<BaiduUserId>77%2D88</BaiduUserId><BaiduChannelId>9</BaiduChannelId>', '77%252D88-9'],
    ['Browser', '<Endpoint>https://e/?a=1&amp;b=2</Endpoint><P256DH>p</P256DH><Auth>s</Auth>', 'https://e/?a=1&b=2'],
    ['Xiaomi', '<XiaomiRegistrationId>x</XiaomiRegistrationId>', 'x'],
    ['Harmony', '<PushVariables>{}</PushVariables><HarmonyToken>h</HarmonyToken><Other>o</Other>', 'h'],
  ])('reads the handle of %s, native and template, in both root forms', (platform, elements, handle) => {
    for (const template of ['', 'Template']) {
      const type = `${platform}${template}RegistrationDescription`;
      const tail = template === '' ? '' : '<BodyTemplate>b</BodyTemplate><TemplateName>t</TemplateName>';
      const expected = {
        platform,
        handle,
        isTemplate: template !== '',
        templateName: template === '' ? undefined : 't',
      };
      const byName = aDescription(`${platform}${template}`, common + elements + tail);
      const byType = `<x:RegistrationDescription y:type="x:${type}" xmlns:x="${CONNECT}" xmlns:y='${INSTANCE}'>${(common + elements + tail).replace(/<(\/?)/g, '<$1x:')}</x:RegistrationDescription>`;
      expect(parseRegistration(byName)).toMatchObject(expected);
      expect(parseRegistration(byType)).toMatchObject(expected);
      expect(canonicalRow(byType)).toBe(canonicalRow(byName));
    }
  });

  test('decodes entities, character references and split CDATA, and passes comments and instructions by', () => {
    const row = parseRegistration(
      aDescription(
        'FcmV1Template',
        `<!-- c -->${common}<?pi x?><Tags>a&amp;b,&#x1F600;<!-- , -->x</Tags><FcmV1RegistrationId>&lt;&#65;&gt;</FcmV1RegistrationId><TemplateName><![CDATA[a]]]]><![CDATA[>b]]></TemplateName>`,
      ),
    );
    expect(row).toMatchObject({ tags: ['a&b', '😀x'], handle: '<A>', templateName: 'a]]>b' });
  });

  test('takes nil, empty and absent for the same, and an element of a foreign namespace for none of its own', () => {
    const row = parseRegistration(
      aDescription(
        'WindowsTemplate',
        `${common}<Tags/><ChannelUri>https://c/</ChannelUri><SecondaryTileName i:nil="true"/><o:TemplateName xmlns:o="urn:o">no</o:TemplateName><TemplateName></TemplateName>`,
      ),
    );
    expect(row).toMatchObject({ tags: [], tileName: undefined, templateName: undefined });
  });

  test('carries a control character that XML forbids and .NET writes all the same', () => {
    expect(
      parseRegistration(
        aDescription('AppleTemplate', `${common}<DeviceToken>A</DeviceToken><TemplateName>a&#1;</TemplateName>`),
      ).templateName,
    ).toBe('a\u0001');
  });

  test.each([
    ['no id', '<DeviceToken>SECRET</DeviceToken>', 'RegistrationId'],
    ['an empty id', '<RegistrationId> </RegistrationId><DeviceToken>SECRET</DeviceToken>', 'RegistrationId'],
    ['no handle', common, 'DeviceToken'],
    ['an empty handle', `${common}<DeviceToken i:nil="true"/>`, 'DeviceToken'],
    ['two handles', `${common}<DeviceToken>SECRET</DeviceToken><DeviceToken>SECRET</DeviceToken>`, 'DeviceToken'],
    ['an element inside the tags', `${common}<Tags><b>SECRET</b></Tags><DeviceToken>SECRET</DeviceToken>`, 'Tags'],
    [
      'a version that is no number',
      '<ETag>SECRET</ETag><RegistrationId>1</RegistrationId><DeviceToken>SECRET</DeviceToken>',
      'ETag',
    ],
    ['text between elements', `${common}SECRET<DeviceToken>SECRET</DeviceToken>`, 'text'],
    ['a tag that is not closed', `${common}<DeviceToken>SECRET`, 'closed'],
    ['an unknown entity', `${common}<DeviceToken>SECRET&nbsp;</DeviceToken>`, 'entity'],
    ['an undeclared prefix', `${common}<q:DeviceToken>SECRET</q:DeviceToken>`, 'prefix'],
    ['a nil element with content', `${common}<DeviceToken i:nil="true">SECRET</DeviceToken>`, 'nil'],
  ])('refuses a description with %s and names the fault, not the value', (_, elements, named) => {
    const fault = faultOf(() => parseRegistration(aDescription('Apple', elements)));
    expect(fault).toMatchObject({ code: 'HubMisbehaves', retryable: false });
    expect(fault.message).toContain(named);
    expect(fault.message).not.toContain('SECRET');
  });

  test.each([
    ['a document type', `<!DOCTYPE x>${apple}`],
    ['an XML declaration', `<?xml version="1.0"?>${apple}`],
    ['something after its end', `${apple}<x/>`],
    ['a root of another kind', apple.replaceAll('AppleRegistrationDescription', 'AppleRegistration')],
    ['a root without a kind', apple.replaceAll('AppleRegistrationDescription', 'RegistrationDescription')],
    ['nothing', ''],
  ])('refuses a description with %s', (_, xml) => {
    expect(faultOf(() => parseRegistration(xml)).code).toBe('HubMisbehaves');
  });

  test('ends on hostile nesting', () => {
    const deep = aDescription('Apple', `${common}${'<a>'.repeat(100_000)}`);
    expect(faultOf(() => parseRegistration(deep)).message).toContain('deeply');
  });

  test('reads every recorded description', () => {
    const recordings = readRecordings();
    for (const { responseBody } of recordings) {
      for (const xml of descriptionsIn(responseBody)) {
        const { id, handle, xml: kept } = parseRegistration(xml);
        expect(kept).toBe(xml);
        expect(xml).toContain(`<RegistrationId>${id}<`);
        expect(xml.toUpperCase()).toContain(handle.split('-')[0]?.toUpperCase());
        expect(canonicalRow(descriptionForWrite(xml))).toBe(canonicalRow(xml));
      }
    }
  });
});

describe('readElements', () => {
  test('gives the elements in order with text, children and bounds', () => {
    const xml = aDescription('WindowsTemplate', '<A> x </A><H><I>1</I> <I>2</I></H><N i:nil="1"/>');
    const { type, rootName, elements } = readElements(xml);
    expect([type, rootName]).toEqual([
      'WindowsTemplateRegistrationDescription',
      'WindowsTemplateRegistrationDescription',
    ]);
    expect(elements.map(({ name, text, isNil }) => [name, text, isNil])).toEqual([
      ['A', ' x ', false],
      ['H', '', false],
      ['N', '', true],
    ]);
    expect(elements[1]?.children.map(({ text }) => text)).toEqual(['1', '2']);
    expect(elements.map(({ start, end }) => xml.slice(start, end))).toEqual([
      '<A> x </A>',
      '<H><I>1</I> <I>2</I></H>',
      '<N i:nil="1"/>',
    ]);
  });
});

describe('descriptionForWrite', () => {
  test('cuts out what the hub owns and leaves every other byte', () => {
    const body = '<Tags>a</Tags> <DeviceToken>A</DeviceToken><Unknown a=">"><![CDATA[<ETag>1</ETag>]]></Unknown>';
    expect(descriptionForWrite(aDescription('Apple', common + body))).toBe(aDescription('Apple', body));
    expect(descriptionForWrite(aDescription('Apple', body + common))).toBe(aDescription('Apple', body));
  });
});

describe('canonicalRow', () => {
  const row = (elements: string): string => canonicalRow(aDescription('WindowsTemplate', elements));
  const headers = (...pairs: [string, string][]): string =>
    `<WnsHeaders>${pairs.map(([name, value]) => `<WnsHeader><Header>${name}</Header><Value>${value}</Value></WnsHeader>`).join('')}</WnsHeaders>`;

  test.each([
    ['element order', '<A>1</A><B>2</B>', '<B>2</B><A>1</A>'],
    ['version, expiry and id', `${common}<A>1</A>`, '<ETag>9</ETag><A>1</A>'],
    ['order, case and repetition of tags', '<Tags>b,A,a</Tags>', '<Tags>a, B</Tags>'],
    ['CDATA or escapes', '<A><![CDATA[<&>]]></A>', '<A>&lt;&amp;&#62;</A>'],
    ['nil, empty or absent', '<A i:nil="true"/><B/><Tags> </Tags><WnsHeaders/>', ''],
    [
      'key order and white space of push variables',
      '<PushVariables>{"a":"1", "b":"2"}</PushVariables>',
      '<PushVariables>{"b":"2","a":"1"}</PushVariables>',
    ],
    ['push variables without any', '<PushVariables>{}</PushVariables>', ''],
    [
      'order of headers and case of their names',
      headers(['X-A', '1'], ['x-b', '2']),
      headers(['X-B', '2'], ['x-a', '1']),
    ],
    ['line ends', '<A>x\r\ny\rz</A>', '<A>x\ny\nz</A>'],
    ['white space between elements', '<A>1</A>', ' \n<A>1</A>\t<!-- c -->'],
  ])('does not see %s', (_, one, other) => {
    expect(row(one)).toBe(row(other));
  });

  test.each([
    ['a value', '<A>1</A>', '<A>2</A>'],
    ['white space in a body', '<BodyTemplate>a</BodyTemplate>', '<BodyTemplate> a</BodyTemplate>'],
    ['a carriage return that is written as a reference', '<A>x&#13;</A>', '<A>x\n</A>'],
    ['a tag', '<Tags>a</Tags>', '<Tags>a,b</Tags>'],
    ['a push variable', '<PushVariables>{"a":"1"}</PushVariables>', '<PushVariables>{"a":"2"}</PushVariables>'],
    [
      'push variables that are no dictionary of texts',
      '<PushVariables>[1]</PushVariables>',
      '<PushVariables>[ 1]</PushVariables>',
    ],
    ['a header value', headers(['a', '1']), headers(['a', '2'])],
    ['which header has which value', headers(['a', '1'], ['b', '2']), headers(['a', '2'], ['b', '1'])],
    ['an unknown element', '', '<New>1</New>'],
    ['where unknown nested values stand', '<N><A>1</A><B>2</B></N>', '<N><A>2</A><B>1</B></N>'],
    ['an attribute', '<A x="1">1</A>', '<A>1</A>'],
    ['an element of another namespace', '<A>1</A>', '<A xmlns="urn:o">1</A>'],
    ['Windows handles by case', '<ChannelUri>https://c/A</ChannelUri>', '<ChannelUri>https://c/a</ChannelUri>'],
  ])('sees %s', (_, one, other) => {
    expect(row(one)).not.toBe(row(other));
  });

  test('compares Apple tokens without regard to case', () => {
    expect(canonicalRow(apple)).toBe(canonicalRow(apple.replace('ab12', 'AB12')));
  });

  test('tells a template from a native registration', () => {
    expect(canonicalRow(apple)).not.toBe(canonicalRow(apple.replaceAll('AppleReg', 'AppleTemplateReg')));
  });
});

describe('reserved tags', () => {
  test('carry the ids of the installation and the user', () => {
    const tags = ['x', '$installationid:{A:b}', '$UserId:{u@x}'];
    expect(installationIdOf(tags)).toBe('A:b');
    expect(userIdOf(tags)).toBe('u@x');
  });

  test.each([
    ['$InstallationId:{a,b},$UserId:{c, d},x', ['$InstallationId:{a,b}', '$UserId:{c, d}', 'x']],
    ['$installationid:{a, }, y ', ['$installationid:{a, }', 'y']],
    ['$InstallationId:{a,b', ['$InstallationId:{a', 'b']],
    ['$Other:{a,b},x', ['$Other:{a', 'b}', 'x']],
  ])('may hold commas: %j', (text, tags) => {
    expect(splitTags(text)).toEqual(tags);
  });

  test('are none where the form is another', () => {
    expect(
      installationIdOf(['InstallationId:{a}', '$InstallationId:{}', '$InstallationId:a', '$InstallationIdx:{a}']),
    ).toBeUndefined();
    expect(userIdOf([])).toBeUndefined();
  });
});

function faultOf(work: () => unknown): DrError {
  try {
    work();
  } catch (error) {
    if (error instanceof DrError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
