import { refusedByThePlan } from './refused.ts';
import { roleFaults } from './roles.ts';
import { securityFaults } from './security.ts';
import { settingFaults } from './settings.ts';
import { at, listAt, ofType, readFunctions, type Shape } from './shapes.ts';
import { wrongValues } from './values.ts';

/** What is wrong with a shape, one sentence each. */
export function faultsOf(shape: Shape): readonly string[] {
  return [
    ...shape.diagnostics.map((one) => `the compiler says: ${JSON.stringify(one)}`),
    ...refusedByThePlan(shape),
    ...settingFaults(shape),
    ...securityFaults(shape),
    ...roleFaults(shape),
    ...wrongValues(shape),
    ...regionFaults(shape),
    ...scaleFaults(shape),
  ];
}

/** Nothing that a restore needs lies in the region of the primary: there are the primary's namespace and hub alone. */
function regionFaults(shape: Shape): readonly string[] {
  const [, own] = /\blocation\s*[=:] '(\w+)'/.exec(shape.source) ?? [];
  const [, primary] = /\bprimaryLocation\s*[=:] '(\w+)'/.exec(shape.source) ?? [];
  if (own === undefined || primary === undefined || own === primary) return ['the shape names no two regions'];
  return shape.resources.flatMap(({ id, location }) => {
    const isPrimaryHub = /\/Microsoft\.NotificationHubs\/namespaces\/[\w-]+-primary(\/|$)/.test(id);
    if (location === undefined || location === 'global') return [];
    return location === (isPrimaryHub ? primary : own) ? [] : [`${id} is in ${location}`];
  });
}

/** Each queue function is a scale group of its own; where instances are kept ready, each has some. */
function scaleFaults(shape: Shape): readonly string[] {
  return ofType(shape, 'Microsoft.Web/sites').flatMap((site) => {
    const scale = at(site, 'properties.functionAppConfig.scaleAndConcurrency');
    const groups = listAt(scale, 'alwaysReady').map((group) => at(group, 'name'));
    const expected = readFunctions().queue.map((name) => `function:${name}`);
    const isWhole = groups.length === 0 || JSON.stringify(groups.toSorted()) === JSON.stringify(expected.toSorted());
    return isWhole ? [] : [`${site.name} keeps ready ${groups.join(', ')}, not ${expected.join(', ')}`];
  });
}
