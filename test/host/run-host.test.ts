import { expect, test } from 'vitest';
import { runHost } from '../../local/host/run-host.ts';
import { makeApp } from './make-app.ts';

const greeting = `app.get('greet', { authLevel: 'function', handler: () => ({ body: process.env.GREETING }) });`;

test('a host runs in process, and again after it was closed', async () => {
  await using app = await makeApp(greeting);
  for (const word of ['hello', 'again']) {
    const lines: string[] = [];
    const host = await runHost({ appDir: app.dir, settings: { GREETING: word }, log: (line) => lines.push(line) });
    const { url, keys } = host;
    expect(host.functions).toEqual([
      { name: 'greet', kind: 'http', trigger: `GET ${url}/api/greet`, isDisabled: false },
    ]);
    expect(await (await fetch(`${url}/api/greet?code=${keys.default}`)).text()).toBe(word);
    await host.close();
    await expect(fetch(`${url}/api/greet`)).rejects.toThrow();
    expect(lines.filter((line) => line.includes("Executed 'Functions.greet'"))).toHaveLength(1);
    expect(lines.join('\n')).not.toContain(keys.default);
  }
});

test('an abort signal closes the host', async () => {
  await using app = await makeApp(greeting);
  const stopping = new AbortController();
  const host = await runHost({ appDir: app.dir, log: () => {}, signal: stopping.signal });
  stopping.abort();
  await host.close();
  await expect(fetch(host.url)).rejects.toThrow();
});

test('a folder that is no function app is refused by name', async () => {
  await expect(runHost({ appDir: 'no-such-folder', log: () => {} })).rejects.toThrow(/no-such-folder.*host\.json/);
});
