import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';

/**
 * @typedef {import('../api-types.d.ts').Snapshot} Snapshot
 * @typedef {import('../api-types.d.ts').Restore} Restore
 */

const empty = {
  snapshot: 'latest',
  target: 'standby',
  note: '',
  /** Tag expressions: which devices to restore, and which first. */
  tags: '',
  first: '',
  /** @type {string[]} */
  platforms: [],
  /** Options of a repeated restore that the form has no fields for. */
  more: /** @type {Pick<Restore, 'only' | 'order'>} */ ({}),
};

/** The input so far. It outlives the form, so that visiting another view loses nothing. */
export const draft = { ...empty };

/** After a restore has started, the next one starts from defaults. */
export function forgetDraft() {
  Object.assign(draft, empty);
}

/** @param {{ snapshot?: string }} chosen */
export function choose({ snapshot }) {
  draft.snapshot = snapshot ?? draft.snapshot;
}

/**
 * Takes over the options of an earlier restore.
 * @param {Restore} run
 */
export function chooseAsIn({ snapshot, target, only = {}, order, note = '' }) {
  const { platforms = [], tags = '', ...ids } = only;
  const [group, ...others] = order ?? [];
  const isOneGroup = group?.tags !== undefined && group.platforms === undefined && others.length === 0;
  Object.assign(draft, {
    snapshot: snapshot.id,
    target: target.role,
    note,
    tags,
    first: isOneGroup ? group.tags : '',
    platforms,
    more: { only: ids, ...(isOneGroup ? {} : { order }) },
  });
}

/**
 * The request body for the chosen options.
 * @param {typeof draft} chosen
 */
export function requestBody({ snapshot, target, note, tags, first, platforms, more }) {
  const only = {
    ...more.only,
    ...(platforms.length === 0 ? {} : { platforms }),
    ...(tags.trim() === '' ? {} : { tags: tags.trim() }),
  };
  const order = first.trim() === '' ? more.order : [{ tags: first.trim() }];
  return {
    snapshot,
    target,
    ...(note.trim() === '' ? {} : { note: note.trim() }),
    ...(Object.keys(only).length === 0 ? {} : { only }),
    ...(order === undefined ? {} : { order }),
  };
}

/**
 * Rarely needed options: a note, a subset of the devices, an order.
 * @param {HTMLElement} platforms Holds the platforms of the chosen snapshot.
 */
export function options(platforms) {
  const isUsed = Object.keys(requestBody(draft)).length > 2;
  return h(
    'details',
    { open: isUsed },
    h('summary', {}, 'Note, order, or only some of the devices'),
    h(
      'div',
      { class: 'form' },
      textField('note', 'Note', 'Who is restoring and why. Shown with the restore and in its report.', 200),
      platforms,
      textField('tags', 'Only devices with tags', 'For example: (news && !beta) || vip. Empty: all devices.', 2000),
      textField('first', 'Devices with these tags first', 'Written before all others. Empty: no order.', 2000),
      earlierOptions(),
    ),
  );
}

/**
 * @param {'note' | 'tags' | 'first'} name
 * @param {string} label
 * @param {string} help
 * @param {number} length
 */
function textField(name, label, help, length) {
  const input = h('input', {
    id: name,
    type: 'text',
    maxlength: length,
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    'aria-describedby': `${name}-help`,
  });
  input.value = draft[name];
  input.addEventListener('input', () => {
    draft[name] = input.value;
  });
  return h(
    'div',
    { class: 'field' },
    h('label', { for: name }, label),
    input,
    h('p', { class: 'muted small', id: `${name}-help` }, help),
  );
}

/** Ids and groups of a repeated restore, to keep or to remove together. */
function earlierOptions() {
  const { only = {}, order } = draft.more;
  const parts = [
    only.installationIds && plural(only.installationIds.length, 'installation id'),
    only.userIds && plural(only.userIds.length, 'user id'),
    order && `${plural(order.length, 'group')} in order`,
  ].filter(Boolean);
  if (parts.length === 0) return undefined;
  const line = h('div', { class: 'field' }, h('p', {}, `From the earlier restore: ${parts.join(', ')}.`));
  const forget = () => {
    draft.more = {};
    line.remove();
  };
  line.append(h('div', { class: 'actions' }, h('button', { type: 'button', onclick: forget }, 'Remove')));
  return line;
}

/** @param {Snapshot} snapshot */
export function platformBoxes({ counts }) {
  const names = Object.entries(counts?.byPlatform ?? {}).sort((a, b) => b[1] - a[1]);
  draft.platforms = draft.platforms.filter((name) => names.some(([known]) => known === name));
  return h(
    'fieldset',
    {},
    h('legend', {}, 'Only these platforms'),
    h('p', { class: 'muted small' }, 'None checked: all platforms.'),
    names.map(([name, count]) =>
      h(
        'label',
        { class: 'choice' },
        h('input', {
          type: 'checkbox',
          checked: draft.platforms.includes(name),
          onchange: (event) => {
            const isChecked = event.target instanceof HTMLInputElement && event.target.checked;
            draft.platforms = [...draft.platforms.filter((other) => other !== name), ...(isChecked ? [name] : [])];
          },
        }),
        h('span', {}, name, h('span', { class: 'muted' }, ` ${plural(count, 'registration')}`)),
      ),
    ),
  );
}
