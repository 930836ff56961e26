import type { Engine } from '../../src/graph/engine.js';
import type { Variant } from '../../src/kernels/variants.js';

/** Lets every question of the plans to come have this variant alone; one that is not offered is an error. */
export function forceVariant(engine: Engine, name: string): void {
  engine.tuner.choose = ({ variants }) => {
    const variant = variants.find((one: Variant) => one.variant === name);
    if (variant === undefined) throw new Error(`no variant ${name}`);
    return { variant, origin: 'tuned' };
  };
}
