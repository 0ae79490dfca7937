import { escapeText } from './xml-text.ts';

/** An answer other than success, thrown by the hub's rules and rendered in one place. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly status: number;

  /** An empty text gives an empty body, as the service does when a right is missing. */
  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

export const invalidDescription = 'The specified resource description is invalid.';
export const noSuchService = 'No service is hosted at the specified address.';

const usDate = new Intl.DateTimeFormat('en-US', {
  timeZone: 'UTC',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
});

/** `<Error>` as recorded: text, tracking id and a US date in one Detail. */
export function renderError(status: number, text: string, stamp: { readonly at: Date; readonly uuid: string }): string {
  const at = usDate.format(stamp.at).replace(',', '').replaceAll('\u202f', ' ');
  const detail = `${text}.TrackingId:${stamp.uuid}_G1,TimeStamp:${at}`;
  return `<Error><Code>${status}</Code><Detail>${escapeText(detail)}</Detail></Error>`;
}
