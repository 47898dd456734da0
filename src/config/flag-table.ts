import { type DescField, type DescMessage, getOption } from "@bufbuild/protobuf";
import { BenchConfigSchema } from "../../gen/assay/config/v1/bench_config_pb.ts";
import { ConsumeConfigSchema } from "../../gen/assay/config/v1/consume_config_pb.ts";
import { flag } from "../../gen/assay/config/v1/flag_pb.ts";
import { ScoreConfigSchema } from "../../gen/assay/config/v1/score_config_pb.ts";
import { ServerConfigSchema } from "../../gen/assay/config/v1/server_config_pb.ts";

/** One configuration field that flags and environment variables set. */
export interface FlagRow {
  readonly field: DescField;
  /** Without dashes. */
  readonly name: string;
  /** ASSAY_ and the name in capitals. */
  readonly variable: string;
  readonly help: string;
  /** Empty for a switch. */
  readonly placeholder: string;
  /** As one would write it; empty where there is none. */
  readonly default: string;
  /** A letter that means the same; empty for most. */
  readonly short: string;
  /** The heading of the help under which it stands. */
  readonly group: string;
}

/** Every flag of `assay serve`, in the order of the schema's fields. */
export const FLAGS: readonly FlagRow[] = flagRows(ServerConfigSchema);

/** Every flag of `assay score`, in the order of the schema's fields. */
export const SCORE_FLAGS: readonly FlagRow[] = flagRows(ScoreConfigSchema);

/** Every flag of `assay bench`, in the order of the schema's fields. */
export const BENCH_FLAGS: readonly FlagRow[] = flagRows(BenchConfigSchema);

/** Every flag of `assay consume`, in the order of the schema's fields. */
export const CONSUME_FLAGS: readonly FlagRow[] = flagRows(ConsumeConfigSchema);

function flagRows(schema: DescMessage): FlagRow[] {
  return schema.fields.flatMap((field) => {
    const option = getOption(field, flag);
    if (option.name === "") return [];
    const variable = `ASSAY_${option.name.toUpperCase().replaceAll("-", "_")}`;
    const { name, help, placeholder, short, group } = option;
    return [{ field, name, variable, help, placeholder, default: option.default, short, group }];
  });
}
