// What the form of a variable holds, from a variable and to the body of a request. Pure.
import type { Variable } from '../../api/model';
import type { VariableBody } from '../../api/endpoints';

export interface VariableFormState {
  key: string;
  value: string;
  visibility: 'visible' | 'masked' | 'hidden';
  protected: boolean;
  file: boolean;
  raw: boolean;
  scope: string;
  description: string;
}

/** `null` is a new one: what it is for is not known, so it is protected, as GitLab's form has it. */
export function formOf(variable: Variable | null): VariableFormState {
  if (variable === null) {
    return {
      key: '',
      value: '',
      visibility: 'masked',
      protected: true,
      file: false,
      raw: false,
      scope: '*',
      description: '',
    };
  }
  return {
    key: variable.key,
    value: variable.value ?? '',
    visibility: variable.hidden ? 'hidden' : variable.masked ? 'masked' : 'visible',
    protected: variable.protected,
    file: variable.variable_type === 'file',
    raw: variable.raw,
    scope: variable.environment_scope,
    description: variable.description ?? '',
  };
}

export function bodyOf(form: VariableFormState, before: Variable | null): VariableBody {
  const body: VariableBody = {
    protected: form.protected,
    masked: form.visibility !== 'visible',
    raw: form.raw,
    variable_type: form.file ? 'file' : 'env_var',
    environment_scope: form.scope.trim(),
    description: form.description,
  };
  if (before === null && form.visibility === 'hidden') body.masked_and_hidden = true;
  // The value of a hidden variable never came here: an empty field means that it stays.
  if (!(before?.hidden && form.value === '')) body.value = form.value;
  return body;
}
