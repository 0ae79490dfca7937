import type { NotificationHubJob } from '@azure/notification-hubs';
import { DrError, faultCode } from '../../core/errors.ts';
import type { CallOptions, HubJobs, JobLook } from '../../core/ports.ts';
import { localName, readXml, textOfChild, type XmlElement } from '../../core/xml/element.ts';
import type { HubConnection } from '../access/connection-string.ts';
import { plainHttp } from '../plain-http.ts';
import { refusal, requireOk } from '../refusal.ts';
import { judgeAnswer } from '../transport/answer.ts';
import { Transport, type TransportOptions } from '../transport/transport.ts';

/**
 * The bulk jobs of a hub. They are submitted through the official SDK, which is loaded with the first one. They are
 * looked at by our own client: the SDK fails at a job whose file is named under another XML prefix than it expects.
 */
export function createHubJobs(options: TransportOptions): HubJobs {
  const transport = new Transport(options);
  const read = async (path: string, { deadlineAt }: CallOptions): Promise<XmlElement> => {
    const answer = await transport.call({ operation: 'jobs', method: 'GET', path }, deadlineAt);
    requireOk(answer, transport.where);
    return readXml(Buffer.from(answer.body).toString(), { what: 'A job', isRetryable: true, mayBeDeclared: true });
  };
  return {
    async submit(outputContainerUrl, { deadlineAt }, importFileUrl) {
      const job =
        importFileUrl === undefined
          ? ({ type: 'ExportRegistrations', outputContainerUrl } as const)
          : ({ type: 'ImportCreateRegistrations', outputContainerUrl, importFileUrl } as const);
      const refused: HubConnection[] = [];
      for (;;) {
        const connection = await connectionOf(options, refused);
        if (connection === undefined) throw refusal({ kind: 'unauthorized' }, 401, transport.where);
        const limitMs = Math.max(1, deadlineAt - options.clock.now());
        const id = await submitOnce(connection, job, { limitMs, where: transport.where });
        if (id !== 'unauthorized') return id;
        refused.push(connection);
      }
    },
    async find(container, call) {
      const jobs = allNamed(await read('jobs', call), 'NotificationHubJob');
      const job = jobs.find((one) => containerIn(textOfChild(one, 'OutputContainerUri')) === container);
      return job && textOfChild(job, 'JobId')?.trim();
    },
    async look(jobId, call) {
      const [job] = allNamed(await read(`jobs/${encodeURIComponent(jobId)}`, call), 'NotificationHubJob');
      if (job !== undefined) return toLook(job);
      throw new DrError(
        'HubMisbehaves',
        `The ${transport.where} answered something else than the job it was asked for.`,
      );
    },
  };
}

async function connectionOf({ connection, keys }: TransportOptions, refused: readonly HubConnection[]) {
  const given = 'key' in connection && !refused.includes(connection) ? connection : undefined;
  return given ?? keys?.besides(refused, performance.now());
}

/** Without repeats: after a lost answer the job is looked for before another is submitted. */
async function submitOnce(
  { endpoint, keyName, key, hubName }: HubConnection,
  job: NotificationHubJob,
  { limitMs, where }: { readonly limitMs: number; readonly where: string },
): Promise<string> {
  const { NotificationHubsClient } = await import('@azure/notification-hubs');
  const text = `Endpoint=${endpoint.href};SharedAccessKeyName=${keyName};SharedAccessKey=${key}`;
  const client = new NotificationHubsClient(text, hubName, { retryOptions: { maxRetries: 0 }, ...plainHttp(endpoint) });
  try {
    const { jobId } = await client.submitNotificationHubJob(job, { abortSignal: AbortSignal.timeout(limitMs) });
    if (jobId !== undefined) return jobId;
  } catch (error) {
    // Nothing of it is kept but its status: it holds the request with its SAS.
    const status = statusOf(error);
    if (status === 401) return 'unauthorized';
    const detail = error instanceof Error ? error.message : '';
    const verdict =
      status === undefined ? undefined : judgeAnswer('jobs', { status, retryAfter: undefined, detail }, 0);
    if (verdict === undefined || verdict.kind === 'throttled' || verdict.kind === 'transient') {
      const seen = status === undefined ? faultCode(error) : `status ${status}`;
      throw new DrError('HubUnavailable', `The ${where} did not take a job: ${seen}.`, {
        retryable: true,
        target: where,
        seen,
      });
    }
    if (verdict.kind !== 'ok') throw refusal(verdict, status ?? 0, where);
  }
  throw new DrError('HubMisbehaves', `The ${where} took a job without saying which.`, { target: where });
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

const STATUSES = ['Started', 'Running', 'Completed', 'Failed'] as const;

/** A job that has just begun shows neither status nor progress (recorded). An unknown status is taken for a job that still runs. */
function toLook(job: XmlElement): JobLook {
  const text = textOfChild(job, 'Status')?.trim() ?? 'Started';
  const progress = Number(textOfChild(job, 'Progress') ?? 0);
  const properties = allNamed(job, 'KeyValueOfstringstring');
  const named = (key: string): string | undefined => {
    const property = properties.find((one) => textOfChild(one, 'Key')?.trim() === key);
    return property && textOfChild(property, 'Value')?.trim();
  };
  return {
    status: STATUSES.find((one) => one === text) ?? 'Running',
    progress: Number.isFinite(progress) ? progress : 0,
    outputName: named('OutputFilePath'),
    failedName: named('FailedFilePath'),
    failure: textOfChild(job, 'Failure'),
  };
}

function allNamed(element: XmlElement, name: string): XmlElement[] {
  if (localName(element) === name) return [element];
  return element.children.flatMap((child) => allNamed(child, name));
}

/** The last part of a container's path: on this machine the account's name comes before it. */
function containerIn(url: string | undefined): string | undefined {
  const text = url?.trim() ?? '';
  return URL.canParse(text) ? new URL(text).pathname.split('/').findLast((part) => part !== '') : undefined;
}
