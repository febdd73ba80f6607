package text

func japaneseScreen() Screen {
	return Screen{
		AllGood: "すべて正常です", Findings: "他 %d 件", NoFindings: "所見はありません。すべての確認項目が正常です。",
		TooSmall: "画面が小さすぎます: 現在 %dx%d、必要 %dx%d。",
		Planning: "計画中: %s", Applying: "実行中: %s", Done: "完了: %s", Failed: "失敗: %s",
		Step: "手順 %d/%d: %s", Nothing: "することなし: %s", ByHand: "手作業が必要: %s", Idle: "まだ何もしていません", Refreshed: "再確認しました",
		Cancelled: "中止: %s", ReadOnly: "読み取り専用", Copied: "コピーしました: %s",
		Filter: "絞り込み", Marked: "%d 件選択", Help: "ヘルプ", Palette: "コマンド", Detail: "詳細",
		Theme: "テーマ: %s", Scroll: "↑↓ スクロール · esc 閉じる", ScrollCopy: "↑↓ スクロール · c コピー · esc 閉じる", Choose: "↑↓ 選ぶ · enter 実行 · esc 閉じる",
		ErrorTitle: "失敗しました", Hint: "対処", Quitting: "実行中の手順が終わるのを待っています…",
		Probed: "監視対象を確認しました: %d 件", Probing: "監視対象を再確認しています",
		PathTitle: "%s までの経路", Following: "%s までの経路をたどっています", Broken: "途切れた区間: %s", Whole: "途切れた区間はありません",
		BundleWritten: "診断ファイルを書きました: %s", Writing: "診断ファイルを書いています", Parts: "%s: %d/%d 確認済み",
		Stopping: "中止しています: %s", StoppedTitle: "中止しました", LastError: "直近のエラー",
		MouseOn: "マウスを使います (文字の選択は shift を押しながら)", MouseOff: "マウスを使いません",
		Editor: "設定", Unsaved: "未保存", Valid: "有効",
		PlainHelp: "キーを入力して Enter を押してください。? でヘルプ、q で終了します。",
		PlainAsk:  "実行するには yes と入力して Enter を押してください。それ以外は中止します。",
		Gone:      "なくなりました: %s",
	}
}

func japaneseActions() Actions {
	return Actions{
		Quit: "終了", Help: "ヘルプ", Palette: "名前でコマンドを探す", Refresh: "再確認 (この区画)", RefreshAll: "再確認 (すべて)",
		Next: "次の区画", Previous: "前の区画", Right: "右の区画", Left: "左の区画", Pane: "区画 %d へ: %s", Zoom: "区画を拡大・戻す", Theme: "次のテーマ",
		Up: "上へ", Down: "下へ", PageUp: "前のページ", PageDown: "次のページ", First: "先頭の行", Last: "末尾の行",
		Filter: "入力しながら絞り込む", Back: "絞り込みと選択を解除、全体表示に戻る", Sort: "次の列で並べ替え", Reverse: "逆順にする",
		Mark: "行を選択", MarkAll: "表示中の行をすべて選択・解除",
		Detail: "行の詳細", Copy: "行をコピー", CopyAll: "直近のエラーをコピー",
		Release: "古い (または選択した) リースを解放", Firewall: "ファイアウォールのルールを再適用", Bridge: "ブリッジを修復",
		Gateway: "ゲートウェイの設定を再生成", Rollback: "ゲートウェイの前回の設定に戻す",
		Route: "Windows のルートを設定", Maintenance: "サイトのメンテナンス表示を切り替え", Undo: "直前の解放または保存を取り消す",
		Mend:  "最も重い所見を修復",
		Probe: "今すぐ監視対象を確認", Path: "サイトまでの経路をたどる", Bundle: "診断ファイルを書く", Config: "設定を編集",
		Editor: "$EDITOR で設定を編集", Mouse: "マウスの入・切", Suspend: "一時停止",
		ShortQuit: "終了", ShortHelp: "ヘルプ", ShortPalette: "コマンド", ShortRefresh: "再確認",
		ShortPane: "区画", ShortZoom: "拡大", ShortFilter: "絞り込み", ShortDetail: "詳細",
		ShortRelease: "解放", ShortFirewall: "再適用", ShortGateway: "再生成", ShortMend: "修復",
		ShortRoute: "ルート", ShortStop: "中止",
		Cancel: "実行中の処理を止める", Activity: "実行履歴",
	}
}
