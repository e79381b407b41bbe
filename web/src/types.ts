// The data of a page as src/report/html.cpp writes it. Members that are empty are left out there.

export interface Fact { name: string; value?: string }
export interface Estimate { value: number; low?: number; high?: number; method?: string; reason?: string }
export interface Counts {
  answered: number; cut: number; refused: number; failed: number; not_asked: number; unparsed: number; passed: number;
}
export interface CategoryScore { category?: string; prompts: number; mean: Estimate }
export interface Variant {
  name: string; what?: string; source?: string; mean: Estimate;
  prompts: number; samples: number; groups: number; counts: Counts;
  categories?: CategoryScore[]; sampling?: Fact[]; identity?: Fact[]; notes?: string[];
  model_bytes?: number; bits_per_weight?: number; seconds?: number; tokens_per_second?: number;
}
export type Claim = "better" | "worse" | "no_visible_difference" | "too_few";
export interface Difference {
  baseline: number; other: number; category?: string; exploratory?: boolean; difference: Estimate;
  prompts: number; groups: number; p?: number; p_adjusted?: number; p_method?: string;
  claim?: Claim; words?: string; smallest_visible?: number; prompts_needed?: number; power_method?: string;
  won: number; lost: number; same: number;
}
export interface CurvePoint {
  iteration: number; train_loss?: number | null; valid_loss?: number | null;
  memory_gb?: number; tokens_per_second?: number;
}
export interface Training {
  name: string; points?: CurvePoint[]; best_iteration?: number; kept_iteration?: number;
  seconds?: number; settings?: Fact[]; notes?: string[];
}
export interface Finding {
  code: string; severity: string; file?: string; line: number; message?: string; why?: string;
}
export interface Command { what?: string; text?: string }
export interface Note { severity: string; text?: string }

export interface Index {
  ids: string[]; excerpts: string[]; group: number[]; category: number[]; samples: number[];
  groups: string[]; categories: string[];
  variant: number[]; number: number[]; state: number[]; score: number[]; flags: number[];
  seconds: number[]; tokens: number[];
}
export interface Head {
  title?: string; verdict?: string; tone: string; created?: string; run?: string; punie_version?: string; suite?: string;
  notes?: Note[]; variants?: Variant[]; differences?: Difference[]; trainings?: Training[];
  data?: Fact[]; findings?: Finding[]; environment?: Fact[]; commands?: Command[];
  block_prompts: number; index: Index;
}

export interface Call { name?: string; arguments?: string; path?: string; problem?: string }
export interface Judgement {
  scorer: string; score: number; passed?: boolean; unparsed?: boolean; reason?: string; extracted?: string;
}
export interface SampleTexts {
  text?: string; thinking?: string; calls?: Call[]; judgements?: Judgement[]; reason?: string; error?: string;
}
export interface Expectation { scorer: string; text?: string; weight: number }
export interface Block {
  messages: unknown[]; tools: unknown[][];
  prompts: { messages: number[]; tools: number; expectations: Expectation[]; samples: SampleTexts[] }[];
}
