import type { Fusion, Group } from './fusion.js';

/**
 * Groups in an order in which each comes after what it reads.
 * @param before what else must come before a group.
 */
export function orderGroups(fusion: Fusion, before: ReadonlyMap<Group, ReadonlySet<Group>>): Group[] {
  const ordered: Group[] = [];
  const done = new Set<Group>();
  const inputsOf = (group: Group): Group[] => [...fusion.inputsOf(group), ...(before.get(group) ?? [])];
  for (const root of fusion.groups) {
    const stack = [{ group: root, inputs: inputsOf(root), next: 0 }];
    while (stack.length > 0) {
      const frame = stack[stack.length - 1];
      if (frame === undefined) break;
      const input = done.has(frame.group) ? undefined : frame.inputs[frame.next++];
      if (input === undefined) {
        stack.pop();
        if (!done.has(frame.group)) ordered.push(frame.group);
        done.add(frame.group);
      } else if (!done.has(input)) {
        if (stack.length > fusion.groups.length + 1) throw new Error('fusion made a cycle');
        stack.push({ group: input, inputs: inputsOf(input), next: 0 });
      }
    }
  }
  return ordered;
}
