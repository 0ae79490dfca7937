/** Numbers in sentences. Messages name the terminal tool's commands, which say what to do in fewer words than a call. */

/** `1,234,567` */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+(?!\d))/g, ',');
}

/** `1 record`, `2,000 records`; of several words, the first is counted: `1 row read`. */
export function counted(count: number, noun: string): string {
  const [first = '', ...rest] = noun.split(' ');
  return [grouped(count), count === 1 ? first : `${first}s`, ...rest].join(' ');
}
