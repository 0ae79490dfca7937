import { DrError } from '../../core/errors.ts';
import type { Feedback } from '../../core/ports.ts';
import { readXml, textOfChild } from '../../core/xml/element.ts';
import { requireOk } from '../refusal.ts';
import { Transport, type TransportOptions } from '../transport/transport.ts';

/** What push services have said of a hub's devices: where the hub keeps it. The addresses open it to all who have them. */
export function createFeedback(options: TransportOptions): Feedback {
  const transport = new Transport(options);
  const requireAddress = (text: string): string => {
    const address = text.trim();
    if (isAddress(address, options)) return address;
    const message = `The ${transport.where} answered with something else than the address of its feedback.`;
    throw new DrError('HubMisbehaves', message, { target: transport.where });
  };
  return {
    async container({ deadlineAt }) {
      const request = { operation: 'feature', method: 'GET', path: 'feedbackcontainer' } as const;
      const answer = await transport.call(request, deadlineAt);
      requireOk(answer, transport.where);
      return requireAddress(Buffer.from(answer.body).toString());
    },
    async notification(id, { deadlineAt }) {
      const path = `messages/${encodeURIComponent(id)}`;
      const answer = await transport.call({ operation: 'findMessage', method: 'GET', path }, deadlineAt);
      if (answer.verdict.kind === 'gone') return undefined;
      requireOk(answer, transport.where);
      const text = Buffer.from(answer.body).toString();
      const root = readXml(text, { what: 'A notification', isRetryable: true, mayBeDeclared: true });
      const textOf = (name: string): string | undefined => textOfChild(root, name)?.trim() || undefined;
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
