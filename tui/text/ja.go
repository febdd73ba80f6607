package text

// Japanese is the catalogue in Japanese.
func Japanese() *Texts {
	said := japaneseSaid()
	return &Texts{
		Said: said, forms: formsOf(said),

		Panes: Panes{Bridge: "ブリッジ", Leases: "リース", Windows: "Windows ルート", Upstreams: "アップストリーム", Findings: "所見"},
		State: State{
			OK: "正常", Warn: "注意", Fail: "異常", Unknown: "不明",
			Looking:  "確認中…",
			NotSeen:  "確認できません",
			Stale:    "%s前の情報",
			StaleNow: "直前の情報",
			NoSource: "ここには確認する対象がありません",
			Empty:    "何もありません",
			NoMatch:  "絞り込みに一致するものがありません",
			And:      "、",
		},
		Ages:     Ages{Now: "今", Seconds: "%d秒", Minutes: "%d分", Hours: "%d時間", Days: "%d日"},
		Bridge:   japaneseBridge(),
		Leases:   japaneseLeases(),
		Windows:  japaneseWindows(),
		Sites:    japaneseSites(),
		Findings: Findings{State: "状態", What: "内容", Target: "対象", Code: "コード", Seen: "確認内容", Remedy: "対処", Since: "開始", Sum: "%d 件の%s"},
		Screen:   japaneseScreen(),
		Editor: Editor{
			Key: "キー", Value: "値", Meaning: "意味", Default: "既定値: %s",
			FormKeys:  "enter 変更 · ctrl+s 保存 · esc 閉じる · / 検索 · ctrl+t 全文 · d 既定値",
			ValueKeys: "enter 決定 · esc 元のまま",
			TextKeys:  "ctrl+t 一覧 · ctrl+s 保存 · esc 閉じる",
			Leave:     "保存していない変更があります。もう一度 esc で破棄、ctrl+s で保存します。",
			Bad:       "設定に誤りがあるため、直前の正しい設定を使い続けます",
			Right:     "設定は正しい状態に戻りました",
			Wrong:     "設定に誤り (e)",
			Joined:    "その間に別の人がファイルを変更しました。両方の変更が入っています。",
			Clash:     "ctrl+r でディスク上の内容を開き直します (自分の変更は失われます)。",
			Adopted:   "設定の変更を反映しました",
		},
		Confirm: Confirm{
			Cancel: "やめる", Apply: "実行する",
			Keys:    "←→ 選ぶ · enter 決定 · esc やめる · ↑↓ スクロール",
			Nothing: "することはありません。", ByHand: "管理者の PowerShell で実行してください",
			Note:  "注記",
			Steps: "次のことを行います:",
		},
		Actions: japaneseActions(),
		Groups:  Groups{Repair: "修復", Look: "詳しく見る", List: "一覧", Screen: "画面"},
		Why: Why{
			NeedsScreen:   "画面表示でのみ使えます。設定は E で $EDITOR を開いて編集できます",
			NoColour:      "端末に色がないか、NO_COLOR が設定されています",
			ReadOnly:      "--read-only で起動されています",
			NotHere:       "ここでは使えません",
			NoStale:       "古いリースはありません",
			NoRow:         "行が選ばれていません",
			Busy:          "実行中です。x で中止",
			NotSite:       "先にアップストリームでサイトを選んでください",
			NothingToMend: "修復できる所見はありません",
			NoJob:         "実行中の処理はありません",
			NoError:       "失敗はありません",
			NoPath:        "先にアップストリームでサイトを選んでください",
		},
	}
}

func japaneseBridge() Bridge {
	return Bridge{
		Link: "リンク", Address: "アドレス", MTU: "MTU", Forwarding: "転送", Rules: "FORWARD ルール", NAT: "マスカレード",
		Policy: "FORWARD ポリシー",
		Up:     "稼働", Down: "停止", NoPorts: "稼働、コンテナの接続なし", Missing: "ありません", NotBridge: "%s はブリッジではなく %s です",
		AddressMissing: "%s がありません", AddressForeign: "%s は無関係のアドレスです",
		MTUDiffers: "%d、設定は %d",
		On:         "有効", Off: "無効",
		Present: "あります", RulesMissing: "%d 件不足", RulesExtra: "%d 件余分",
		NATOff: "設定により無効", Doubled: "重複", BehindDrop: "破棄するルールの後ろ",
		Mixed:        "%s にもルールがあります",
		PolicyDocker: "%s (Docker)",
		Overlap:      "%s と重なっています",
		PortUp:       "接続", PortDown: "切断",
		Sum:     "%d 件接続",
		Backend: "バックエンド", Have: "現在のルール", Want: "あるべきルール", Alias: "所有者", MAC: "MAC", Kinds: "種類",
	}
}

func japaneseLeases() Leases {
	return Leases{
		Address: "アドレス", Name: "名前", State: "状態", Age: "経過", Container: "コンテナ", Interface: "If",
		Active: "使用中", Stale: "古い", Reserved: "予約", Quarantined: "隔離中",
		NoName: "(名前なし)",
		Sum:    "使用中 %d", SumStale: "古い %d",
		None:      "割り当て済みのアドレスはありません。--network flatnet でコンテナを起動してください",
		Namespace: "名前空間", Boot: "ブート", Veth: "ホスト側リンク", MAC: "MAC", Since: "開始",
		Reason: "理由", Until: "期限",
	}
}

func japaneseWindows() Windows {
	return Windows{
		Route: "ルート", Mode: "WSL モード", WSL: "WSL アドレス", Facing: "Windows 側", Wins: "有効な経路", Reach: "到達性",
		Windows: "Windows",
		NotHere: "WSL ではありません", Present: "あります", Missing: "ありません", Persistent: "永続", Temporary: "再起動まで",
		Via: "%s 経由", Direct: "直接接続", Metric: "メトリック %d", Verdict: "判定", Remedy: "対処",
		ReadAt: "読み取り", Unknown: "わかりません",
		OldAddress: "古いアドレス宛て", OtherGateway: "別の宛先", Shadowed: "別の経路が優先",
		Duplicate: "重複", PersistentDisagrees: "再起動で失われます", Mirrored: "ミラー モードのため経路なし",
	}
}

func japaneseSites() Sites {
	return Sites{
		Name: "名前", State: "状態", Latency: "遅延", History: "履歴", Loss: "損失", Kind: "種別", Target: "対象", Since: "継続",
		Up: "応答", Down: "停止", Unknown: "不明",
		Sum: "応答 %d", SumDown: "停止 %d",
		None: "監視対象がありません。設定に [[gateway.site]] を追加してください",
		Role: "役割", Host: "サイト", Cause: "原因", Median: "中央値", Slowest: "99 % がこの値以内",
		Status: "HTTP 状態", Detail: "詳細",
		Roles: Roles{
			Upstream: "サイトのサーバー", Bridge: "ブリッジ自身のアドレス", Windows: "Windows 本体",
			Gateway: "ゲートウェイ", Target: "[[probes.target]] の対象",
		},
		Gateway: "ゲートウェイ", SetAside: "除外",
		Maintenance: "メンテナンス中",
	}
}
