import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/api/types.ts', 'embed.mjs'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
  },
  {
    rules: {
      // Whatever a job, a commit or a user wrote is shown as text, never as markup.
      'svelte/no-at-html-tags': 'error',
      // A style attribute in markup is refused by the policy; style: directives are not.
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "SvelteElement[kind='html'] > SvelteStartTag > SvelteAttribute[key.name='style']",
          message: 'The content security policy refuses style attributes: use a class or style:.',
        },
      ],
      // Addresses are made by lib/routes.ts; this application has its own router.
      'svelte/no-navigation-without-resolve': 'off',
      eqeqeq: 'error',
    },
  },
);
