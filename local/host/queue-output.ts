import type { QueueClient } from '@azure/storage-queue';
import { RestError } from '@azure/storage-queue';
import type { InvocationResponse, TypedData } from './core-types.ts';
import type { FunctionDefinition, QueueOutput } from './function-definition.ts';
import type { QueueOptions } from './host-json.ts';
import { openQueues } from './storage-connection.ts';

export type SendOutputs = (definition: FunctionDefinition, response: InvocationResponse) => Promise<void>;

/** Opens the queues of all output bindings; the answer sends what an invocation returned to them. */
export async function openQueueOutputs(
  functions: readonly FunctionDefinition[],
  options: QueueOptions,
  env: NodeJS.ProcessEnv,
): Promise<SendOutputs> {
  const clients = new Map<QueueOutput, QueueClient>();
  for (const output of functions.flatMap((definition) => definition.queueOutputs)) {
    clients.set(output, (await openQueues(output.connection, env)).getQueueClient(output.queueName));
  }
  return async ({ queueOutputs }, response) => {
    for (const output of queueOutputs) {
      const client = clients.get(output);
      for (const text of messagesOf(outputValue(output, response))) {
        await client?.sendMessage(encodeMessage(text, options.messageEncoding)).catch(async (error) => {
          if (!isNotFound(error)) throw error;
          await client.createIfNotExists();
          await client.sendMessage(encodeMessage(text, options.messageEncoding));
        });
      }
    }
  };
}

function encodeMessage(text: string, encoding: QueueOptions['messageEncoding']): string {
  return encoding === 'base64' ? Buffer.from(text).toString('base64') : text;
}

/** The storage SDKs tell a missing queue, blob or message by status 404. */
export function isNotFound(error: unknown): boolean {
  return error instanceof RestError && error.statusCode === 404;
}

function outputValue(output: QueueOutput, response: InvocationResponse): TypedData | null | undefined {
  if (output.bindingName === '$return') return response.returnValue;
  return response.outputData?.find(({ name }) => name === output.bindingName)?.data;
}

/** The host's `FunctionBinding.ReadAsEnumerable`: an array, also one written out as JSON text, is one message an item. */
function messagesOf(data: TypedData | null | undefined): string[] {
  const text = data?.json ?? data?.string ?? data?.int?.toString() ?? data?.double?.toString();
  if (text === undefined) {
    return data?.bytes === undefined || data.bytes === null ? [] : [Buffer.from(data.bytes).toString()];
  }
  if (!text.trimStart().startsWith('[')) return [data?.json === undefined ? text : unquote(text)];
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch {
    // Only looked like JSON: one message of that text, as in the real host.
  }
  return Array.isArray(items) ? items.map(itemText) : [text];
}

function itemText(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item);
}

function unquote(json: string): string {
  return json.startsWith('"') ? itemText(JSON.parse(json)) : json;
}
