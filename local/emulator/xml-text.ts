const special: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
};

export function escapeText(text: string): string {
  return /[&<>\r]/.test(text) ? text.replace(/[&<>\r]/g, (character) => special[character] ?? '') : text;
}

export function escapeAttribute(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => special[character] ?? '');
}

export function element(name: string, text: string): string {
  return `<${name}>${escapeText(text)}</${name}>`;
}

/** Verbatim for any text: `]]>` is split over two sections, a carriage return (which parsers drop) is put between two. */
export function cdata(text: string): string {
  return `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>').replaceAll('\r', ']]>&#xD;<![CDATA[')}]]>`;
}

/** Characters XML 1.0 cannot carry in any form. */
export function hasForbiddenCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 ? code !== 9 && code !== 10 && code !== 13 : code === 0xfffe || code === 0xffff) return true;
  }
  return !text.isWellFormed();
}
