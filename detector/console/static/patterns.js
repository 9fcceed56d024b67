// The patterns page follows the stream by refreshing its live parts.

import { live } from "./live.js";
import { refresh } from "./refresh.js";

live({ signal: refresh, case: refresh, resume: refresh });
