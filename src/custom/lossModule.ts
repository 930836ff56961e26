import special from '../../shaders/common/special.wgsl';
import row from '../../shaders/losses/row.wgsl';
import { KernelError, suggest } from '../errors.js';
import { declarationsOf } from '../kernels/declarations.js';
import type { WgslFunction, WgslModule } from '../kernels/wgslModule.js';

/** What a loss's WGSL may include, by the name in its `// include` line. */
const INCLUDES: Readonly<Record<string, WgslModule>> = {
  'losses/row.wgsl': row,
  'common/special.wgsl': special,
};

/**
 * A loss's WGSL, checked against its declaration: `finish` and `gradient` are there, and `struct Parameters`
 * has the declared parameters in the declared order. Text from a user becomes a module first.
 */
export function lossModule(name: string, wgsl: WgslModule | string, parameters: readonly string[]): WgslModule {
  const module = typeof wgsl === 'string' ? moduleFromText(name, wgsl) : wgsl;
  const file = typeof wgsl === 'string' ? name : `${module.name}.wgsl`;
  for (const needed of ['finish', 'gradient']) {
    if (needed === 'gradient' && module.declarations.slope?.kind === 'fn') continue;
    if (module.declarations[needed]?.kind !== 'fn') {
      throw new KernelError(file, `there is no function '${needed}'.`, {
        mend:
          needed === 'finish'
            ? 'write fn finish(row: Row, parameters: Parameters) -> f32 { … }, the value of a row.'
            : 'write fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32 { … }, its derivative by logit j.',
      });
    }
  }
  const struct = module.declarations.Parameters;
  const text = struct === undefined ? '' : module.code.slice(struct.start, struct.end);
  const fields = [...text.replace(/\/\/.*$/gm, '').matchAll(/([A-Za-z_]\w*)\s*:\s*f32/g)].map(
    ([, field]) => field as string,
  );
  for (const parameter of parameters) {
    if (fields.includes(parameter)) continue;
    throw new KernelError(
      file,
      `struct Parameters has no field '${parameter}: f32', but the loss declares it. ${suggest(parameter, fields.length > 0 ? fields : ['none'])}`,
    );
  }
  if (parameters.length > 0 && fields.join() !== parameters.join()) {
    throw new KernelError(
      file,
      `struct Parameters has the fields ${fields.join(', ')}; the loss declares ${parameters.join(', ')}, in this order.`,
    );
  }
  return module;
}

function moduleFromText(name: string, text: string): WgslModule {
  const includes: WgslModule[] = [];
  const code = text.replace(/^[ \t]*\/\/ include (\S+).*$/gm, (_, path: string) => {
    const found = INCLUDES[path];
    if (found === undefined) {
      throw new KernelError(name, `cannot include '${path}'. ${suggest(path, Object.keys(INCLUDES))}`);
    }
    includes.push(found);
    return '';
  });
  const declarations = declarationsOf(code);
  const functions: Record<string, WgslFunction> = {};
  for (const [key, { kind }] of Object.entries(declarations)) {
    if (kind === 'fn') functions[key] = { parameters: [], returns: 'f32' };
  }
  return {
    name,
    code,
    includes,
    bindings: {},
    uniforms: {},
    overrides: {},
    declarations,
    functions,
    entryPoint: undefined,
    workgroupSize: undefined,
  };
}
