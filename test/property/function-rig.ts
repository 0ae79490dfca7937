import { readdir } from 'node:fs/promises';
import { HttpRequest, HttpResponse, type HttpResponseInit, InvocationContext } from '@azure/functions';
import { type DequeuedMessageItem, type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { collectRegistrations } from '../../local/host/core-module.ts';
import { type FunctionDefinition, readDefinitions } from '../../local/host/function-definition.ts';
import { startEmulator } from '../../local/hub-lab/index.ts';
import { openStorageAccount } from '../support/storage-account.ts';

/** The app's own functions in this process, before azurite and the emulator, called with the library's own objects. */
export interface FunctionRig extends AsyncDisposable {
  readonly routes: readonly HttpFunction[];
  call(route: HttpFunction, method: string, request: FuzzedRequest): Promise<FunctionAnswer>;
  /** Hands a message to the function of a queue, as the host does: already through `JSON.parse` where that goes. */
  deliver(message: unknown): Promise<void>;
  /** Delivers what is in the queues until nothing is. */
  drain(): Promise<void>;
  /** Every line logged so far. */
  readonly logged: readonly string[];
  /** What must never show: keys of hubs and storage. */
  readonly secrets: readonly string[];
}

export interface HttpFunction {
  readonly name: string;
  readonly methods: readonly string[];
  readonly route: string;
  readonly paramNames: readonly string[];
}

export interface FuzzedRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface FunctionAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const functionsFolder = new URL('../../functions/', import.meta.url);

/** One to a process: the app reads its settings once. */
export async function openFunctions(): Promise<FunctionRig> {
  await using parts = new AsyncDisposableStack();
  const azurite = openStorageAccount();
  const emulator = parts.use(await startEmulator({}));
  emulator.hub('primary', 'devices').seed({ devices: 20, seed: 5 });
  const [primary, secondary] = ['primary', 'secondary'].map((name) => emulator.namespace(name).connectionString());
  const settings = {
    SNAPSHOT_STORAGE: azurite.connectionString,
    PRIMARY_HUB_CONNECTION: primary,
    PRIMARY_HUB_NAME: 'devices',
    SECONDARY_HUB_CONNECTION: secondary,
    SECONDARY_HUB_NAME: 'devices',
  };
  Object.assign(process.env, settings);
  const registrations = await collectRegistrations(
    () => {},
    async () => {
      for (const file of await readdir(functionsFolder)) await import(new URL(file, functionsFolder).href);
    },
  );
  const definitions = readDefinitions(registrations, process.env);
  const service = QueueServiceClient.fromConnectionString(azurite.connectionString);
  const queues = definitions.flatMap(({ trigger }) =>
    trigger.kind === 'queue' ? [service.getQueueClient(trigger.queueName)] : [],
  );
  const steps = definitions.find(({ trigger }) => trigger.kind === 'queue');
  if (steps === undefined) throw new Error('There is no function for a queue.');
  const logged: string[] = [];
  const contextFor = (functionName: string) =>
    new InvocationContext({ functionName, logHandler: (_level, ...words) => logged.push(words.join(' ')) });
  const deliver = async (message: unknown): Promise<void> => {
    await steps.callback(message, contextFor(steps.name));
  };
  const keep = parts.move();
  return {
    routes: definitions.flatMap(toRoute),
    logged,
    secrets: Object.values(settings).flatMap((value) => /Key=([^;]{8,})/.exec(value ?? '')?.[1] ?? []),
    deliver,
    async call(route, method, request) {
      const definition = definitions.find(({ name }) => name === route.name);
      const answer = await definition?.callback(toRequest(route, method, request), contextFor(route.name));
      const response = new HttpResponse(isResponseInit(answer) ? answer : {});
      return { status: response.status, headers: new Headers([...response.headers]), text: await response.text() };
    },
    async drain() {
      for (let isEmpty = false; !isEmpty; ) {
        isEmpty = true;
        for (const queue of queues) {
          for (const { messageId, popReceipt, messageText } of await receive(queue)) {
            isEmpty = false;
            await deliver(JSON.parse(Buffer.from(messageText, 'base64').toString()));
            await queue.deleteMessage(messageId, popReceipt);
          }
        }
      }
    },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}

/** A queue that nothing was sent to yet does not exist. */
async function receive(queue: QueueClient): Promise<readonly DequeuedMessageItem[]> {
  if (!(await queue.exists())) return [];
  return (await queue.receiveMessages({ numberOfMessages: 32 })).receivedMessageItems;
}

function toRoute({ name, trigger }: FunctionDefinition): HttpFunction[] {
  if (trigger.kind !== 'http') return [];
  const paramNames = [...trigger.route.matchAll(/\{(\w+)\??\}/g)].map((match) => match[1] ?? '');
  return [{ name, methods: trigger.methods, route: trigger.route, paramNames }];
}

function toRequest({ route }: HttpFunction, method: string, request: FuzzedRequest): HttpRequest {
  const { params = {}, query = {}, headers = {}, body } = request;
  const path = route.replaceAll(/\{(\w+)\??\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams(query).toString();
  return new HttpRequest({
    method,
    url: `https://app.example/api/${path}${search === '' ? '' : `?${search}`}`,
    params: { ...params },
    query: { ...query },
    headers: { ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? { string: body } : { bytes: body } }),
  });
}

function isResponseInit(answer: unknown): answer is HttpResponseInit {
  return typeof answer === 'object' && answer !== null;
}
