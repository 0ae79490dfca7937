import { atom, connect, instance, seconds } from './xml-out.ts';
import { element, escapeAttribute, escapeText } from './xml-text.ts';

export const jobTypes = [
  'ExportRegistrations',
  'ImportCreateRegistrations',
  'ImportUpdateRegistrations',
  'ImportDeleteRegistrations',
  'ImportUpsertRegistrations',
] as const;

export type JobType = (typeof jobTypes)[number];

/** What a client asks for. */
export interface JobRequest {
  readonly type: JobType;
  /** With its SAS. */
  readonly outputContainerUri: string;
  /** Likewise; an export has none. */
  readonly importFileUri?: string | undefined;
}

/** A job as it is now. Never changed in place. */
export interface Job extends JobRequest {
  readonly id: string;
  readonly status: 'Started' | 'Running' | 'Completed' | 'Failed';
  /** Percent. */
  readonly progress: number;
  readonly failure?: string | undefined;
  /** Names of blobs in the output container; absent where the service does not say. */
  readonly outputs?: { readonly output: string; readonly failed: string } | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** How jobs are shown. */
export interface JobDialect {
  /** XML prefix of the output properties. */
  readonly prefix: string;
  /** false: status and progress are left out while they are what a new job has. */
  readonly showsDefaults: boolean;
}

const arrays = 'http://schemas.microsoft.com/2003/10/Serialization/Arrays';

/** In the order of the contract. The addresses are shown with their SAS, as recorded. */
export function renderJob(job: Job, { prefix, showsDefaults }: JobDialect): string {
  const isNew = job.status === 'Started' && !showsDefaults;
  const optional = (name: string, text: string | undefined): string => (text === undefined ? '' : element(name, text));
  const parts = [
    element('JobId', job.id),
    isNew || (job.progress === 0 && !showsDefaults) ? '' : element('Progress', String(job.progress)),
    element('Type', job.type),
    isNew ? '' : element('Status', job.status),
    element('OutputContainerUri', job.outputContainerUri),
    optional('ImportFileUri', job.importFileUri),
    optional('Failure', job.failure),
    job.outputs === undefined ? '' : renderProperties(prefix, job.outputs),
    element('CreatedAt', job.createdAt.toISOString()),
    element('UpdatedAt', job.updatedAt.toISOString()),
  ];
  return `<NotificationHubJob xmlns="${connect}" xmlns:i="${instance}">${parts.join('')}</NotificationHubJob>`;
}

export function renderJobEntry(job: Job, url: string, dialect: JobDialect): string {
  const [created, updated] = [seconds(job.createdAt), seconds(job.updatedAt)];
  const link = escapeAttribute(url);
  return `<entry xmlns="${atom}"><id>${link}</id><title type="text">${escapeText(job.id)}</title><published>${created}</published><updated>${updated}</updated><link rel="self" href="${link}"/><content type="application/xml">${renderJob(job, dialect)}</content></entry>`;
}

function renderProperties(prefix: string, { output, failed }: { output: string; failed: string }): string {
  const property = (key: string, value: string): string =>
    `<${prefix}:KeyValueOfstringstring><${prefix}:Key>${key}</${prefix}:Key><${prefix}:Value>${escapeText(value)}</${prefix}:Value></${prefix}:KeyValueOfstringstring>`;
  return `<OutputProperties xmlns:${prefix}="${arrays}">${property('OutputFilePath', output)}${property('FailedFilePath', failed)}</OutputProperties>`;
}
