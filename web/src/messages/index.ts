// The texts of the application in the chosen language. Another language is another file of the same shape as en.ts.
import { en } from './en';

export type Messages = typeof en;

export const t: Messages = en;
