import type { Plugin } from 'esbuild';

/**
 * For bundles: takes `node:http` and `node:https` by `require`. An `import` reads every export of a built-in module, and
 * one of `node:http` loads the whole of `fetch` when it is read: 40 ms of processor time at each start.
 */
export const requiredHttp: Plugin = {
  name: 'required-http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?https?$/ }, ({ path, kind }) =>
      // One that is imported when it is needed reads no export at the start.
      kind === 'import-statement' ? { path, namespace: 'required-http' } : { path, external: true },
    );
    onLoad({ filter: /./, namespace: 'required-http' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};
