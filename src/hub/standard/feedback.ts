import { DrError } from '../../core/errors.ts';
import type { CallOptions, Feedback } from '../../core/ports.ts';
import { readXml } from '../../core/xml/element.ts';
import { refusal } from '../refusal.ts';
import { type HubAnswer, type HubRequest, Transport, type TransportOptions } from '../transport.ts';

/** What push services have said of a hub's devices: where the hub keeps it. The addresses open it to all who have them. */
export function createFeedback(options: TransportOptions): Feedback {
  const transport = new Transport(options);
  const call = async (request: HubRequest, { deadlineAt }: CallOptions): Promise<HubAnswer> => {
    const answer = await transport.call(request, deadlineAt);
    if (answer.verdict.kind === 'ok') return answer;
    throw refusal(answer.verdict, answer.status, transport.where);
  };
  const requireAddress = (text: string): string => {
    const address = text.trim();
    if (isAddress(address, options)) return address;
    const message = `The ${transport.where} answered with something else than the address of its feedback.`;
    throw new DrError('HubMisbehaves', message, { target: transport.where });
  };
  return {
    async container(limits) {
      const { body } = await call({ operation: 'feature', method: 'GET', path: 'feedbackcontainer' }, limits);
      return requireAddress(Buffer.from(body).toString());
    },
    async notification(id, limits) {
      const path = `messages/${encodeURIComponent(id)}`;
      const answer = await transport.call({ operation: 'findMessage', method: 'GET', path }, limits.deadlineAt);
      if (answer.verdict.kind === 'gone') return undefined;
      if (answer.verdict.kind !== 'ok') throw refusal(answer.verdict, answer.status, transport.where);
      const text = Buffer.from(answer.body).toString();
      const { children } = readXml(text, { what: 'A notification', isRetryable: true, mayBeDeclared: true });
      const textOf = (name: string): string | undefined => {
        const found = children.find((child) => child.name === name || child.name.endsWith(`}${name}`));
        return found?.text.trim() || undefined;
      };
      const errors = textOf('PnsErrorDetailsUri');
      return { state: textOf('State') ?? 'Unknown', errors: errors && requireAddress(errors) };
    },
  };
}

/** Plain HTTP only where the hub itself is called so, on this machine. */
function isAddress(text: string, { connection }: TransportOptions): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol } = new URL(text);
  const isPlain = 'endpoint' in connection && connection.endpoint.protocol === 'http:';
  return protocol === 'https:' || (protocol === 'http:' && isPlain);
}
