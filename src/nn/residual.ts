import { formatShape, ShapeError } from '../errors.js';
import { sameShape } from '../graph/shape.js';
import { add } from '../ops/arithmetic.js';
import { type Module, module } from './module.js';

/**
 * He et al. 2015: `body(x) + x`, or `body(x) + shortcut(x)` where the body changes the shape.
 * Parameters are named `body.…` and `shortcut.…`.
 * @throws ShapeError when the two differ in shape.
 */
export function residual(body: Module, shortcut?: Module): Module {
  const through = shortcut === undefined ? '' : `, ${shortcut.description}`;
  return module({
    description: `residual(${body.description}${through})`,
    children: shortcut === undefined ? { body } : { body, shortcut },
    forward: (x) => {
      const [changed, kept] = [body(x), shortcut === undefined ? x : shortcut(x)];
      if (sameShape(changed.shape, kept.shape)) return add(changed, kept);
      throw new ShapeError(
        'nn.residual',
        `the body gives ${formatShape(changed.shape)}, the shortcut ${formatShape(kept.shape)}.`,
        { mend: 'give a shortcut that changes the shape alike: nn.residual(body, nn.conv2d(inputs, outputs, 1)).' },
      );
    },
  });
}
