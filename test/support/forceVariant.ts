import type { Engine } from '../../src/graph/engine.js';
import { compile, type Tensor } from '../../src/index.js';
import { chooseStatic, type Variant, type VariantQuestion } from '../../src/kernels/variants.js';

/** Lets every question of the plans to come have this variant alone; one that is not offered is an error. */
export function forceVariant(engine: Engine, name: string): void {
  engine.tuner.choose = ({ variants }) => {
    const variant = variants.find((one: Variant) => one.variant === name);
    if (variant === undefined) throw new Error(`no variant ${name}`);
    return { variant, origin: 'tuned' };
  };
}

/** The values that `apply` has by this variant, in a fresh plan: choices are made with the plan. */
export async function valuesBy(
  engine: Engine,
  variant: string,
  apply: (a: Tensor, b: Tensor) => Tensor,
  a: Tensor,
  b: Tensor,
) {
  forceVariant(engine, variant);
  const step = compile(apply, { name: variant });
  const values = await step(a, b).data();
  step.dispose();
  return values;
}

/** What is asked of the tuner while `plan` makes plans, which get the static choices. */
export function questionsAsked({ tuner }: Engine, plan: () => void): VariantQuestion[] {
  const asked: VariantQuestion[] = [];
  const before = tuner.choose;
  tuner.choose = (question) => {
    asked.push(question);
    return chooseStatic(question);
  };
  try {
    plan();
  } finally {
    tuner.choose = before;
  }
  return asked;
}
