import type { HubRequest, HubResponse, Route, RouteContext } from './http-types.ts';
import type { Hub } from './hub.ts';
import { type Job, type JobDialect, type JobRequest, jobTypes, renderJobEntry } from './job.ts';
import { requireStandard } from './send-routes.ts';
import { ServiceError } from './service-error.ts';
import { parseXml } from './xml-in.ts';
import { atom, seconds } from './xml-out.ts';
import { escapeAttribute } from './xml-text.ts';

export const jobRoutes: readonly Route[] = [
  { method: 'POST', path: 'jobs', right: 'Manage', handle: submit },
  { method: 'GET', path: 'jobs', right: 'Manage', handle: list },
  { method: 'GET', path: 'jobs/{}', right: 'Manage', handle: read },
];

const entryType = { 'Content-Type': 'application/atom+xml; type=entry; charset=utf-8' };

function submit({ namespace, hub, request }: RouteContext): HubResponse {
  requireStandard(namespace);
  const job = hub.jobs.submit(parseJob(request.body));
  const url = jobUrl(hub, request, job);
  return { status: 201, headers: { ...entryType, Location: url }, body: renderJobEntry(job, url, dialect(hub)) };
}

function list({ namespace, hub, request }: RouteContext): HubResponse {
  requireStandard(namespace);
  const self = escapeAttribute(`http://${request.host}/${hub.name}/jobs${request.query}`);
  const entries = hub.jobs.list().map((job) => renderJobEntry(job, jobUrl(hub, request, job), dialect(hub)));
  const body = `<feed xmlns="${atom}"><title type="text">jobs</title><id>${self}</id><updated>${seconds(new Date(hub.nowMs))}</updated><link rel="self" href="${self}"/>${entries.join('')}</feed>`;
  return { status: 200, headers: { 'Content-Type': 'application/atom+xml; type=feed; charset=utf-8' }, body };
}

function read({ namespace, hub, request, key }: RouteContext): HubResponse {
  requireStandard(namespace);
  const job = hub.jobs.find(key);
  if (job === undefined) throw new ServiceError(404, 'The job was not found');
  // The id twice, as recorded.
  const url = jobUrl(hub, request, job, `${job.id}/${job.id}`);
  const headers = { ...entryType, 'Content-Location': url };
  return { status: 200, headers, body: renderJobEntry(job, url, dialect(hub)) };
}

/** @throws ServiceError 400, with the reported text. */
function parseJob(body: string): JobRequest {
  const invalid = new ServiceError(400, 'The supplied notificationhub job payload is invalid.');
  const texts = new Map<string, string>();
  try {
    const content = parseXml(body).children.find(({ tag }) => tag.local === 'content');
    for (const child of content?.children[0]?.children ?? []) texts.set(child.tag.local, child.text.trim());
  } catch {
    // An ampersand of a SAS that is not escaped, for one.
    throw invalid;
  }
  const type = jobTypes.find((name) => name === texts.get('Type'));
  const [outputContainerUri = '', importFileUri] = [texts.get('OutputContainerUri'), texts.get('ImportFileUri')];
  if (type === undefined || !isSigned(outputContainerUri)) throw invalid;
  if (type === 'ExportRegistrations') return { type, outputContainerUri };
  if (importFileUri === undefined || !isSigned(importFileUri)) throw invalid;
  return { type, outputContainerUri, importFileUri };
}

function isSigned(text: string): boolean {
  return URL.canParse(text) && new URL(text).searchParams.has('sig');
}

function jobUrl(hub: Hub, { host, query }: HubRequest, job: Job, key = job.id): string {
  return `http://${host}/${hub.name}/jobs/${key}${query}`;
}

function dialect({ switches: { jobPropertyPrefix, jobStatusAtFirst } }: Hub): JobDialect {
  return { prefix: jobPropertyPrefix, showsDefaults: jobStatusAtFirst };
}
