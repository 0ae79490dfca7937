const ZERO = '0'.charCodeAt(0);

/** The whole numbers of a text, whatever is between them: of a large restore there are a hundred thousand to read. */
export function numbersIn(text: string): number[] {
  const numbers: number[] = [];
  let number = -1;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit >= 0 && digit <= 9) number = number < 0 ? digit : number * 10 + digit;
    else if (number >= 0) {
      numbers.push(number);
      number = -1;
    }
  }
  if (number >= 0) numbers.push(number);
  return numbers;
}
