// Short names for the types generated from schemas/openapi.yaml. Nothing is declared here that the contract declares.
import type { components } from './types';

type Schemas = components['schemas'];

export type Status = Schemas['Status'];
export type Reason = Schemas['Reason'];
export type User = Schemas['User'];
export type Member = Schemas['Member'];
export type BrowserSession = Schemas['Session'];
export type AccessToken = Schemas['AccessToken'];
export type ProjectAccessToken = Schemas['ProjectAccessToken'];
export type TriggerToken = Schemas['TriggerToken'];
export type Project = Schemas['Project'];
export type TrendPoint = Schemas['TrendPoint'];
export type Pipeline = Schemas['Pipeline'];
export type PipelineDetail = Schemas['PipelineDetail'];
export type LeftOutJob = Schemas['LeftOutJob'];
export type Finding = Schemas['Finding'];
export type Job = Schemas['Job'];
export type Artifact = Schemas['Artifact'];
export type Transfer = Schemas['Transfer'];
export type Runner = Schemas['Runner'];
export type TraceMatches = Schemas['TraceMatches'];
export type CoveragePoint = Schemas['CoveragePoint'];
export type CoverageFile = Schemas['CoverageFile'];
export type CoverageSummary = Schemas['CoverageSummary'];
export type CoverageLines = Schemas['CoverageLines'];
export type ScanFinding = Schemas['ScanFinding'];
export type FindingsSummary = Schemas['FindingsSummary'];
export type LinkedPipeline = Schemas['LinkedPipeline'];
export type Schedule = Schemas['Schedule'];
export type ScheduleDetail = Schemas['ScheduleDetail'];
export type PipelineVariable = Schemas['PipelineVariable'];
export type Environment = Schemas['Environment'];
export type Deployment = Schemas['Deployment'];
export type DeploymentStatus = Schemas['DeploymentStatus'];
export type FreezePeriod = Schemas['FreezePeriod'];
export type Delivery = Schemas['Delivery'];
export type ForgeRepository = Schemas['ForgeRepository'];
export type ForkRequest = Schemas['ForkRequest'];
export type RefWatch = Schemas['RefWatch'];
export type Variable = Schemas['Variable'];
export type LintResult = Schemas['LintResult'];
export type LintedJob = Schemas['LintedJob'];
export type PipelineFile = Schemas['PipelineFile'];
export type TestReportSummary = Schemas['TestReportSummary'];
export type ListedTest = Schemas['ListedTest'];
export type ComparedTest = Schemas['ComparedTest'];
export type TestComparison = Schemas['TestComparison'];
export type TestHistoryPoint = Schemas['TestHistoryPoint'];
export type FlakyTest = Schemas['FlakyTest'];

export interface Page<T> {
  items: T[];
  total: number | null;
  next: number | null;
}
