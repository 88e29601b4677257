// Whose variables a project's jobs get, the nearest first.
import type { VariableOwner } from '../../api/endpoints';

export function ownersOf(project: string): VariableOwner[] {
  const owners: VariableOwner[] = [{ kind: 'project', path: project }];
  const parts = project.split('/');
  for (let length = parts.length - 1; length > 0; --length) {
    owners.push({ kind: 'group', path: parts.slice(0, length).join('/') });
  }
  owners.push({ kind: 'instance' });
  return owners;
}
