import { fileUrl, type JobFiles } from './job-files.ts';
import type { HubSwitches } from './switches.ts';
import type { World } from './world.ts';
import { connect, instance } from './xml-out.ts';
import { element } from './xml-text.ts';

/** What a push service answers for a handle in place of taking the message. */
export interface Refusal {
  /** As `NotificationSystemError` names it. */
  readonly error: string;
  readonly newHandle?: string | undefined;
}

export interface Refused extends Refusal {
  readonly platform: string;
  readonly handle: string;
  readonly registrationId: string;
  readonly installationId: string | undefined;
  readonly notificationId: string;
}

/** Errors after which the service deletes the row, or gives it the new handle. */
export const isDeath = ({ error }: Refusal): boolean => /^(?:Expired|Bad|Wrong)Channel$|^WrongToken$/.test(error);

/** The names that the documentation's example has; of the others by the same rule. */
const platformNames: Readonly<Record<string, string>> = { Apple: 'apns', Windows: 'wns', Mpns: 'mpns' };

/** The feedback of one hub: a file a day, which grows, and one for each send with errors. */
export class FeedbackFiles {
  readonly #switches: () => HubSwitches;
  readonly #world: World;
  readonly #files: JobFiles;
  readonly #days = new Map<string, string[]>();
  #written: Promise<void> = Promise.resolve();

  constructor(parts: { readonly switches: () => HubSwitches; readonly world: World; readonly files: JobFiles }) {
    this.#switches = parts.switches;
    this.#world = parts.world;
    this.#files = parts.files;
  }

  /** Notes what came of one send. Gives the address of its errors, if there is a container for it. */
  add(refused: readonly Refused[]): string | undefined {
    if (refused.length === 0) return undefined;
    const { feedbackContainer, sendErrorsContainer, feedbackEncoding } = this.#switches();
    const documents = refused.map((one) => this.#render(one));
    const write = (url: string, text: string): void => {
      const bytes = feedbackEncoding === 'utf-16' ? Buffer.from(text, 'utf16le') : text;
      this.#written = this.#written.then(() => this.#files.write(url, [bytes]));
    };
    if (feedbackContainer !== null) {
      const day = this.#today();
      const all = [...(this.#days.get(day) ?? []), ...documents.map((one) => `${DECLARATION}${one}\r\n`)];
      this.#days.set(day, all);
      write(fileUrl(feedbackContainer, day), all.join(''));
    }
    if (sendErrorsContainer === null) return undefined;
    const errors = fileUrl(sendErrorsContainer, `${refused[0]?.notificationId}.txt`);
    write(errors, documents.join('\n'));
    return errors;
  }

  /** All of it is in the container when this resolves. @throws Error with the storage's answer. */
  written(): Promise<void> {
    return this.#written;
  }

  #today(): string {
    const [year = '', month = '', day = ''] = new Date(this.#world.now()).toISOString().slice(0, 10).split('-');
    return month + day + year;
  }

  #render({ error, platform, handle, registrationId, installationId, notificationId, newHandle }: Refused): string {
    const hasIds = this.#switches().feedbackIds;
    const fields = [
      element('FeedbackTime', new Date(this.#world.now()).toISOString()),
      element('NotificationSystemError', error),
      element('Platform', platformNames[platform] ?? platform.toLowerCase()),
      element('PnsHandle', handle),
      hasIds ? element('RegistrationId', registrationId) : '',
      hasIds && installationId !== undefined ? element('InstallationId', installationId) : '',
      element('NotificationId', notificationId),
      newHandle === undefined ? '' : element('NewPnsHandle', newHandle),
    ];
    return `<PnsFeedback xmlns="${connect}" xmlns:i="${instance}">${fields.join('')}</PnsFeedback>`;
  }
}

/** Whatever the bytes are. */
const DECLARATION = '<?xml version="1.0" encoding="utf-16"?>';
