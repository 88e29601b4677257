// The mock's pipeline file, and a lint that knows one mistake.
export const pipelineFile = `stages: [build, test]
build:
  stage: build
  script: make
review:
  stage: test
  script: make review
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
`;

export function lint({ content, event }) {
  const lines = content.split('\n');
  const wrong = lines.findIndex((line) => line.includes('scirpt:'));
  const findings =
    wrong === -1
      ? []
      : [
          {
            severity: 'error',
            code: 'unknown_keyword',
            message: 'jobs:build config contains unknown keys: scirpt',
            file: '.gitlab-ci.yml',
            line: wrong + 1,
            column: lines[wrong].indexOf('scirpt') + 1,
            hint: 'did you mean script?',
          },
        ];
  const job = (name, stage) => ({
    name,
    stage,
    before_script: [],
    script: ['make'],
    after_script: [],
    tag_list: [],
    environment: null,
    when: 'on_success',
    allow_failure: false,
    needs: [],
  });
  const review = event === 'merge_request_event';
  const leftOut = (name, stage) => ({
    name,
    stage,
    reason: { code: 'left_out_by_rules', text: `no rule fits a ${event}` },
    file: '.gitlab-ci.yml',
    line: 8,
  });
  return {
    valid: wrong === -1,
    errors: findings.map(({ message }) => message),
    warnings: [],
    findings,
    merged_yaml: wrong === -1 ? content : '',
    jobs: wrong === -1 ? [review ? job('review', 'test') : job('build', 'build')] : [],
    left_out: wrong === -1 ? [review ? leftOut('build', 'build') : leftOut('review', 'test')] : [],
  };
}
