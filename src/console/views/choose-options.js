import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';

/**
 * @typedef {import('../api-types.d.ts').Snapshot} Snapshot
 * @typedef {import('../api-types.d.ts').Restore} Restore
 */

const empty = {
  snapshot: 'latest',
  target: 'secondary',
  note: '',
  /** Tag expressions: whom to restore, and whom first. */
  tags: '',
  first: '',
  /** @type {string[]} */
  platforms: [],
  /** What a restore that is repeated asked for and this form has no fields for. */
  more: /** @type {Pick<Restore, 'only' | 'order'>} */ ({}),
};

/** What was chosen and typed. It outlives the form, so that a look at another page costs nothing. */
export const draft = { ...empty };

/** The next restore is another matter. */
export function forgetDraft() {
  Object.assign(draft, empty);
}

/** @param {{ snapshot?: string }} chosen */
export function choose({ snapshot }) {
  draft.snapshot = snapshot ?? draft.snapshot;
}

/**
 * Asks for the same again as an earlier restore did.
 * @param {Restore} run
 */
export function chooseAsIn({ snapshot, target, only = {}, order, note = '' }) {
  const { platforms = [], tags = '', ...ids } = only;
  const [group, ...others] = order ?? [];
  const isOneGroup = group?.tags !== undefined && group.platforms === undefined && others.length === 0;
  Object.assign(draft, {
    snapshot: snapshot.id,
    target: target.role === 'primary' ? 'primary' : 'secondary',
    note,
    tags,
    first: isOneGroup ? group.tags : '',
    platforms,
    more: { only: ids, ...(isOneGroup ? {} : { order }) },
  });
}

/**
 * The body of a restore as it was chosen.
 * @param {typeof draft} chosen
 */
export function askedOf({ snapshot, target, note, tags, first, platforms, more }) {
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
 * What is seldom needed: a note, a part of the devices, an order.
 * @param {HTMLElement} platforms Where the platforms of the chosen snapshot are.
 */
export function options(platforms) {
  const isUsed = Object.keys(askedOf(draft)).length > 2;
  return h(
    'details',
    { open: isUsed },
    h('summary', {}, 'Note, order, or only some of the devices'),
    h(
      'div',
      { class: 'form' },
      textField('note', 'Note', 'Who asks and why. It is shown with the restore and in its report.', 200),
      platforms,
      textField('tags', 'Only devices with tags', 'For example: (news && !beta) || vip. Empty: all devices.', 2000),
      textField('first', 'First the devices with tags', 'They are written before all others. Empty: no order.', 2000),
      moreAsked(),
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

/** Ids and groups of a restore that is repeated: all or none of them. */
function moreAsked() {
  const { only = {}, order } = draft.more;
  const parts = [
    only.installationIds && plural(only.installationIds.length, 'installation id'),
    only.userIds && plural(only.userIds.length, 'user id'),
    order && `${plural(order.length, 'group')} in order`,
  ].filter(Boolean);
  if (parts.length === 0) return undefined;
  const line = h('div', { class: 'field' }, h('p', {}, `As in the restore before: ${parts.join(', ')}.`));
  const forget = () => {
    draft.more = {};
    line.remove();
  };
  line.append(h('div', { class: 'actions' }, h('button', { type: 'button', onclick: forget }, 'Leave that out')));
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
    h('p', { class: 'muted small' }, 'None checked: all of them.'),
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
