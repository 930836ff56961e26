import type { Fusion, Group } from './fusion.js';
import type { Value } from './ir.js';

/** Groups in an order in which each comes after what it reads. */
export function orderGroups(fusion: Fusion): Group[] {
  const ordered: Group[] = [];
  const done = new Set<Group>();
  const inputsOf = (group: Group): Group[] => {
    const inputs = new Set<Group>();
    const visit = (value: Value) => {
      for (const { value: input } of value.operands) {
        const other = fusion.groupOf.get(input);
        if (other !== undefined && other !== group) inputs.add(other);
        if (other === undefined && input.virtual) visit(input);
      }
    };
    for (const value of [...group.anchors, ...group.members, ...group.inlined]) visit(value);
    return [...inputs];
  };
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
