/**
 * What the official SDK's client needs to speak plain HTTP to a hub on this machine: a connection string with another
 * plain address is refused.
 */
export function plainHttp({ protocol }: URL): object {
  if (protocol !== 'http:') return {};
  const allow = (request: { allowInsecureConnection?: boolean }, next: (request: object) => unknown): unknown => {
    request.allowInsecureConnection = true;
    return next(request);
  };
  return { additionalPolicies: [{ position: 'perCall', policy: { name: 'plainHttp', sendRequest: allow } }] };
}
