import type { Plugin } from 'esbuild';

/**
 * For bundles: takes `node:http` and `node:https` by `require`. An `import` reads every export of a built-in module, and
 * one of `node:http` loads the whole of `fetch` when it is read: 40 ms of processor time at each start.
 */
export const requiredHttp: Plugin = {
  name: 'required-http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?https?$/ }, ({ path, kind }) =>
      kind === 'require-call' ? { path, external: true } : { path, namespace: 'required-http' },
    );
    onLoad({ filter: /./, namespace: 'required-http' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};
