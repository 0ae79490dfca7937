import { generate } from 'selfsigned';

/** A certificate of 127.0.0.1 with its key, both in PEM; trusted by those that name it. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes one that is valid from now on, for as long as a test or a benchmark may take. */
export async function makeCertificate(): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    algorithm: 'sha256',
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: IP_ADDRESS, ip: '127.0.0.1' }] },
    ],
  });
  return { cert, key };
}

/** Of the kinds of names in a certificate (RFC 5280, 4.2.1.6). */
const IP_ADDRESS = 7;
