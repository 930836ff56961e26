/**
 * Visits a node after all it depends on, each once, without recursion: graphs may be thousands of nodes deep.
 *
 * @param inputsOf what a node depends on; asked once, when its turn begins.
 * @param isDone whether a node was visited, in this walk or before; `visit` must make it so.
 */
export function postOrder<Node>(
  root: Node,
  inputsOf: (node: Node) => readonly Node[],
  isDone: (node: Node) => boolean,
  visit: (node: Node) => void,
): void {
  if (isDone(root)) return;
  const stack = [{ node: root, inputs: inputsOf(root), next: 0 }];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const input = frame.inputs[frame.next++];
    if (input === undefined) {
      stack.pop();
      visit(frame.node);
    } else if (!isDone(input)) {
      stack.push({ node: input, inputs: inputsOf(input), next: 0 });
    }
  }
}
